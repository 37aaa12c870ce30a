package code

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxTyped bounds what Normalise looks at, in bytes: several times any code, with a blank after each symbol.
const maxTyped = 256

// lookAlikes are symbols that are taken for each other.
var lookAlikes = [...]string{"0O", "1IL", "2Z", "5S", "8B"}

// Normalise returns the code that a subject meant by what they typed, and whether it can be one. It forgives
//
//   - blanks of every kind, hyphens and dashes, also typographic and invisible ones that come along with copying,
//   - upper and lower case,
//   - full-width and other compatibility forms of the alphabet's symbols (Unicode NFKC),
//   - a look-alike that is not in the alphabet, for the one that is: with [Digits] O is 0, and I and l are 1. It is not
//     forgiven where there is none in the alphabet, or more than one.
//
// For everything else, for a text without any symbol, for one longer than 256 bytes and for an alphabet that
// [Alphabet.Validate] refuses it returns "" and false. It does not look at how many symbols there are. Codes of [Alphabet.New]
// are returned as they are.
func (a Alphabet) Normalise(typed string) (string, bool) {
	if len(typed) > maxTyped || a.Validate() != nil {
		return "", false
	}
	code := make([]byte, 0, len(typed))
	for _, r := range norm.NFKC.String(typed) {
		if skipped(r) {
			continue
		}
		if r >= utf8.RuneSelf { // also what is not UTF-8
			return "", false
		}
		c, ok := a.symbol(byte(r))
		if !ok {
			return "", false
		}
		code = append(code, c)
	}
	if len(code) == 0 || len(code) > maxTyped { // a compatibility form may stand for several symbols
		return "", false
	}
	return string(code), true
}

// skipped reports whether r separates symbols, or cannot be seen.
func skipped(r rune) bool {
	switch r {
	case '\u00ad', // soft hyphen
		'\u2043', // hyphen bullet
		'\u2212', // minus
		'\u200b', // zero width space
		'\u2060', // word joiner
		'\ufeff': // zero width no-break space
		return true
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)
}

// symbol returns the symbol of the alphabet that is meant by an ASCII character.
func (a Alphabet) symbol(c byte) (byte, bool) {
	for _, same := range [...]byte{c, upper(c), lower(c)} {
		if strings.IndexByte(string(a), same) >= 0 {
			return same, true
		}
	}
	for _, group := range lookAlikes {
		if strings.IndexByte(group, upper(c)) < 0 {
			continue
		}
		var meant byte
		n := 0
		for i := range len(group) {
			for j := range len(a) {
				if upper(a[j]) == group[i] {
					meant, n = a[j], n+1
				}
			}
		}
		return meant, n == 1
	}
	return 0, false
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c - 'A' + 'a'
	}
	return c
}
