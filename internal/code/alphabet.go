// Package code makes the codes that are printed, sent and typed back: parts of PINs, one-time codes, letter codes. What people
// type is forgiven its case, its blanks and hyphens and its look-alikes, none of which makes a code easier to guess.
package code

import (
	"crypto/rand"
	"errors"
	"math"
)

// An Alphabet is the symbols of which codes are made, each once. See [Alphabet.Validate] for what may be one.
type Alphabet string

const (
	// Digits are for codes that are typed on a telephone's number pad: 3.32 bits a symbol.
	Digits Alphabet = "0123456789"

	// Unambiguous has 28 digits and upper-case letters that cannot be taken for each other on paper, on a bad screen or in
	// handwriting: 4.81 bits a symbol. Left out are 0 and O, 1, I and L, which nobody could tell apart; of 2 and Z, 5 and S,
	// 8 and B the digit stays, and a subject who types the letter meant the digit.
	Unambiguous Alphabet = "23456789ACDEFGHJKMNPQRTUVWXY"

	// Letters20 has the upper-case consonants without Y (RFC 8628 section 6.1), of which no words can be made: 4.32 bits a
	// symbol.
	Letters20 Alphabet = "BCDFGHJKLMNPQRSTVWXZ"
)

// maxAlphabet is enough for all letters of one case, all digits and some punctuation.
const maxAlphabet = 64

// Validate returns nil if the alphabet has 2 to 64 distinct printable ASCII characters, none of them a blank or a hyphen, and
// letters of one case only: blanks, hyphens and case are forgiven in what is typed, so they cannot carry meaning.
func (a Alphabet) Validate() error {
	if len(a) < 2 || len(a) > maxAlphabet {
		return errors.New("code: alphabet does not have 2 to 64 symbols")
	}
	var seen [0x80]bool
	for i := range len(a) {
		c := a[i]
		if c <= ' ' || c >= 0x7f || c == '-' {
			return errors.New("code: alphabet has a symbol that is not printable ASCII, or a blank or hyphen")
		}
		if seen[c] {
			return errors.New("code: alphabet has a symbol twice")
		}
		seen[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		if !seen[c] {
			continue
		}
		for d := 'A'; d <= 'Z'; d++ {
			if seen[d] {
				return errors.New("code: alphabet has letters of both cases")
			}
		}
	}
	return nil
}

// Samples returns codes of n symbols that together have every symbol of the alphabet, for asking whether codes can be sent.
// They are the same each time, and are no secrets.
func (a Alphabet) Samples(n int) []string {
	var samples []string
	for from := 0; from < len(a); from += n {
		sample := make([]byte, n)
		for i := range sample {
			sample[i] = a[(from+i)%len(a)]
		}
		samples = append(samples, string(sample))
	}
	return samples
}

// New returns a code of n symbols, each as likely as every other. It panics if [Alphabet.Validate] refuses the alphabet:
// ask that when a policy is made. For n below 1 it returns "".
func (a Alphabet) New(n int) string {
	if err := a.Validate(); err != nil {
		panic(err.Error())
	}
	if n < 1 {
		return ""
	}
	code := make([]byte, 0, n)
	// The bytes beyond the last full round of the alphabet are drawn again: to take them too would make the first symbols
	// more likely, in codes of which each bit counts.
	full := 256 - 256%len(a)
	random := make([]byte, min(n+n/4+4, 256)) // mostly enough at once
	for {
		_, _ = rand.Read(random) // never fails: it ends the program instead
		for _, b := range random {
			if int(b) >= full {
				continue
			}
			if code = append(code, a[int(b)%len(a)]); len(code) == n {
				return string(code)
			}
		}
	}
}

// Bits returns how many bits of entropy a code of n symbols has: the logarithm of how many such codes there are. It is 0 for n
// below 1 and for an alphabet of less than two symbols.
func (a Alphabet) Bits(n int) float64 {
	if n < 1 || len(a) < 2 {
		return 0
	}
	return float64(n) * math.Log2(float64(len(a)))
}

// Group returns the code with a blank after every so many symbols, "ABCD EFGH", as people read and type them best.
// [Alphabet.Normalise] takes the blanks out again. A size below 1 leaves the code as it is.
func Group(code string, size int) string {
	if size < 1 || len(code) <= size {
		return code
	}
	grouped := make([]byte, 0, len(code)+len(code)/size)
	for i := range len(code) {
		if i > 0 && i%size == 0 {
			grouped = append(grouped, ' ')
		}
		grouped = append(grouped, code[i])
	}
	return string(grouped)
}
