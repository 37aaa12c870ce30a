// Package choice decides what a secret chosen by a person may be: its normal form, its length, and the values that are
// guessed first.
//
// [Rules.Normalise] is for every secret that was typed, at choosing as well as at checking. [Rules.Check] is for choosing
// only. Neither keeps anything, and both are safe for concurrent use.
//
// No rule tells a citizen to add a digit or an exclamation mark. What is refused is what guessers try first, because ten
// guesses against many people find more chosen PINs than ten million guesses find random ones. To the letter, NIST SP
// 800-63B-4 3.1.1.2 forbids every composition rule, and the refusals of repeats, sequences and dates are such rules; it asks
// for a list of refused values, and these values are too many to list.
package choice

import (
	"fmt"
	"unicode/utf8"

	"github.com/civicpin/civicpin/pin/rule"
)

// A Form is the kind of secret that is chosen. The zero Form is none, and is refused.
type Form uint8

const (
	// Digits is a PIN of the digits 0 to 9.
	Digits Form = iota + 1
	// Alphanumeric is ASCII letters and digits in which case does not matter; the normal form is upper case.
	Alphanumeric
	// Password is the OpaqueString profile of PRECIS (RFC 8265 4.2): nearly all of Unicode, blanks included, case kept.
	Password
)

const (
	// shortest is the least length that Rules may allow: what is shorter, no limit of attempts can protect.
	shortest = 4
	// longest is the greatest length that Rules may allow. NIST asks for at least 64.
	longest = 128
	// maxInput bounds what is looked at, in bytes, before any work is done on it: 128 code points of four bytes each, and
	// as much again for blanks and for what normalisation drops.
	maxInput = 1024
)

// Rules say what may be chosen. The zero Rules refuse everything.
type Rules struct {
	Form Form
	// Min and Max are the least and the greatest number of characters, that is of code points of the normal form. Min is
	// at least 4, Max at most 128.
	Min, Max int
	// Words are further common values to refuse, besides the built-in ones: the service's name and what belongs to it, which
	// people take when they are asked for a password (NIST SP 800-63B-4 3.1.1.2, "context-specific words"). Compared
	// without regard to case and accents, alone and, from three characters on, put together with listed words; at most 256
	// of 1 to 64 bytes. Do not change them while the Rules are in use.
	Words []string
}

// Validate returns nil, or an error that says which field cannot be used.
func (r Rules) Validate() error {
	switch {
	case r.Form < Digits || r.Form > Password:
		return fmt.Errorf("choice: unknown form %d", r.Form)
	case r.Min < shortest || r.Max > longest || r.Min > r.Max:
		return fmt.Errorf("choice: length %d to %d is not within %d to %d", r.Min, r.Max, shortest, longest)
	case len(r.Words) > 256:
		return fmt.Errorf("choice: %d words, want at most 256", len(r.Words))
	}
	for i, w := range r.Words {
		if w == "" || len(w) > 64 || !utf8.ValidString(w) {
			return fmt.Errorf("choice: word %d is not 1 to 64 bytes of UTF-8", i)
		}
	}
	return nil
}

// Check returns nil if the secret may be chosen, and otherwise an [*Error] that names the first rule it breaks, in the order
// of package rule. The secret is what [Rules.Normalise] returned; anything else breaks rule.Characters. Rules that do
// not validate give the error of [Rules.Validate].
//
// Of random secrets, which no attacker would guess, it refuses about 15 in 100 of four digits, 12 of six (13 with what is known
// of the subject), 4 of eight, and fewer than one in 1000 of eight letters and digits, and of 15 characters of any kind. A
// caller that draws secrets does not check them.
//
// Personal holds what a guesser may know of the subject: id, names, telephone number, e-mail address, and dates written
// as 2006-01-02. The first 64 pieces count, and the first 64 bytes of each.
func (r Rules) Check(secret string, personal []string) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if len(secret) > maxInput {
		return &Error{Rule: rule.Length}
	}
	if n := utf8.RuneCountInString(secret); n < r.Min || n > r.Max {
		return &Error{Rule: rule.Length}
	}
	if normal, err := r.Normalise(secret); err != nil || normal != secret {
		return &Error{Rule: rule.Characters}
	}
	folded := fold(secret)
	text := []rune(folded)
	switch {
	case repeated(text):
		return &Error{Rule: rule.Repeated}
	case sequence(text), walked(text):
		return &Error{Rule: rule.Sequence}
	case date(folded):
		return &Error{Rule: rule.Date}
	case common(folded, r.Words):
		return &Error{Rule: rule.Common}
	case private(text, personal):
		return &Error{Rule: rule.Personal}
	}
	return nil
}
