// Package ident reads the identifiers under which citizens are known to the systems of the examples: the Italian codice
// fiscale, the Spanish DNI and NIE, and the Ecuadorian cédula.
//
// Each Parse function takes what was typed and returns the one normal form of it, fit to be a civicpin.Subject: two
// spellings of one identifier must not become two subjects. Blanks and the separators . - / are dropped, and letters become
// upper case. A check character catches slips of the hand; it proves nothing about who types.
package ident

import (
	"strings"
	"unicode"

	"github.com/civicpin/civicpin"
)

// maxTyped bounds what is looked at, in bytes: three times the longest identifier, blanks included.
const maxTyped = 64

// A Problem says what is wrong with a typed identifier.
type Problem string

// The problems, roughly in the order in which they are looked for.
const (
	Length     Problem = "wrong length"
	Character  Problem = "a character that is neither a letter from A to Z nor a digit from 0 to 9"
	Shape      Problem = "letters and digits are not where they should be"
	CheckDigit Problem = "the check character does not fit the rest"
	Date       Problem = "a birth date that is not in the calendar"
	Province   Problem = "a province that is not known"
	ThirdDigit Problem = "a third digit that is not usual for a person"
)

// An Error is returned for a text that is not an identifier. It matches civicpin.ErrInvalid. It does not quote the text,
// which is personal data even when mistyped.
type Error struct {
	// What names the identifier: "codice fiscale", "DNI or NIE", "cédula".
	What    string
	Problem Problem
}

// Error returns a sentence for the person at the keyboard.
func (e *Error) Error() string { return "ident: " + e.What + ": " + string(e.Problem) }

// Is reports whether target is civicpin.ErrInvalid.
func (e *Error) Is(target error) bool { return target == civicpin.ErrInvalid }

// clean drops blanks and separators and turns a-z into A-Z. Whatever is left beyond A-Z and 0-9 is refused, and not folded:
// Unicode's upper case makes S of ſ and I of ı, and its digits exist in dozens of scripts, so that folding them would let
// one citizen be typed in many ways that look alike.
func clean(what, typed string) (string, error) {
	if len(typed) > maxTyped {
		return "", &Error{what, Length}
	}
	var b strings.Builder
	for _, r := range typed {
		switch {
		case 'a' <= r && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case unicode.IsSpace(r), r == '.', r == '-', r == '/':
		default:
			return "", &Error{what, Character}
		}
	}
	return b.String(), nil
}

// digits reports whether s consists of digits only.
func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// luhn returns the check digit that follows s: every second digit is doubled, beginning with the first digit of s or with
// the second, and the digits of all products and of the rest are added up.
func luhn(s string, doubleFirst bool) byte {
	sum := 0
	for i := range len(s) {
		n := int(s[i] - '0')
		if (i%2 == 0) == doubleFirst {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return byte('0' + (10-sum%10)%10)
}
