package choice

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"github.com/civicpin/civicpin/pin/rule"
)

// NormaliserVersion is the version of what [Rules.Normalise] does. A caller that stores a hash stores it too: NIST changed
// its mind from NFKC or NFKD to NFC between two editions, and a normaliser that changes under stored hashes locks people out. A
// later version of Unicode alone does not change it, because normal forms are stable and PRECIS refuses what is unassigned.
const NormaliserVersion = 1

// Normalise returns the one form of what was typed that is hashed and compared. Digits and Alphanumeric: NFKC, so that
// full-width digits count as digits, in upper case, without blanks and hyphens. Password: OpaqueString of RFC 8265, which
// is NFC with every kind of space made the ASCII one; nothing is trimmed and case is kept.
//
// It gives an [*Error] with rule.Length if nothing is left or if more was typed than any secret may have, and with
// rule.Characters for what the form does not have. It does not look at Min and Max, so that a policy made stricter does not
// lock out who chose before. It depends on nothing but what was typed: a caller that answers a failed Normalise as
// it answers a wrong secret, and does the same work, tells nothing about the subject.
func (r Rules) Normalise(typed string) (string, error) {
	if typed == "" || len(typed) > maxInput {
		return "", &Error{Rule: rule.Length}
	}
	if !utf8.ValidString(typed) { // the normalisers would make one replacement character of all that is broken
		return "", &Error{Rule: rule.Characters}
	}
	switch r.Form {
	case Digits, Alphanumeric:
		return r.code(typed)
	case Password:
		return opaque(typed)
	}
	return "", &Error{Rule: rule.Characters} // an unknown form has no characters
}

// code is Normalise for Digits and Alphanumeric.
func (r Rules) code(typed string) (string, error) {
	if !ascii(typed) {
		typed = norm.NFKC.String(typed)
	}
	out := make([]byte, 0, len(typed))
	for _, c := range typed {
		switch {
		case c >= '0' && c <= '9', r.Form == Alphanumeric && c >= 'A' && c <= 'Z':
			out = append(out, byte(c))
		case r.Form == Alphanumeric && c >= 'a' && c <= 'z':
			// Not unicode.ToUpper: it would let the dotless i pass for an I.
			out = append(out, byte(c-'a'+'A'))
		case unicode.IsSpace(c), unicode.Is(unicode.Pd, c), c == '\u2212':
			// Blanks, hyphens and dashes, and the minus sign: left out, as people group long codes in their own way.
		default:
			return "", &Error{Rule: rule.Characters}
		}
	}
	if len(out) == 0 || len(out) > longest {
		return "", &Error{Rule: rule.Length}
	}
	return string(out), nil
}

// opaque is Normalise for Password.
func opaque(typed string) (string, error) {
	if !printableASCII(typed) { // printable ASCII is its own normal form
		out, err := precis.OpaqueString.String(typed)
		if err != nil {
			return "", &Error{Rule: rule.Characters}
		}
		// RFC 8265 asks that applying the rules again changes nothing. RFC 8264 7 allows three more passes before a text is
		// refused as not stable; here one more has to be enough.
		if again, err := precis.OpaqueString.String(out); err != nil || again != out {
			return "", &Error{Rule: rule.Characters}
		}
		typed = out
	}
	if utf8.RuneCountInString(typed) > longest {
		return "", &Error{Rule: rule.Length}
	}
	return typed, nil
}

// fold returns s as the rules compare it: without case, accents and compatibility forms, at most 128 code points. Only
// for comparing against what is known; never what is hashed.
func fold(s string) string {
	if ascii(s) {
		return strings.ToLower(cut(s))
	}
	var b strings.Builder
	n := 0
	for _, c := range strings.ToLower(norm.NFKD.String(s)) {
		if unicode.Is(unicode.Mn, c) {
			continue
		}
		if n++; n > longest {
			break
		}
		b.WriteRune(c)
	}
	return b.String()
}

func cut(s string) string { return s[:min(len(s), longest)] }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
