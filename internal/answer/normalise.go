// Package answer brings answers to personal questions to the one form that is hashed, and says which ones nobody should choose.
//
// People type the same answer in many ways over the years: another keyboard, capital letters, a blank too many. The form
// forgives these, and nothing that makes two answers of one: accents stay, since without them "año" and "ano" are alike.
package answer

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/civicpin/civicpin/pin/rule"
)

const (
	// Version is the version of the form that new hashes are made of. A caller that stores a hash stores it too: a form that
	// changes under stored hashes locks people out. A later version of Unicode alone does not change it, because normal forms
	// and case folding are stable for what is assigned, and what is not is refused.
	Version = 1

	// maxBytes bounds an answer, as it is typed and in its form: a street, a name in full. One code point of four bytes can
	// stand for eighteen, so this comes before any work.
	maxBytes = 128
)

// ErrVersion says that there is no form of that version: a later release stored the hash.
var ErrVersion = errors.New("answer: unknown version of the normal form")

// Normalise returns the one form of an answer that is hashed and compared, of a version: NFKC and full case folding (Unicode's
// NFKC_Casefold: ignorable characters, as keyboards put them in unseen, are left out), one kind of apostrophe and one of dash,
// as telephones replace them unasked, and blanks squeezed to one and trimmed. It is its own form.
//
// It gives an [*Error] with rule.Length if nothing is left, or if there are more than 128 bytes, and with rule.Characters for
// control characters, line ends, what is not UTF-8, and what no version of Unicode known here has. It does not ask whether the
// answer is a good one, so that [Check] can become stricter and lock nobody out.
func Normalise(version int, typed string) (string, error) {
	if version != Version {
		return "", ErrVersion
	}
	if typed == "" || len(typed) > maxBytes {
		return "", &Error{Rule: rule.Length}
	}
	if !utf8.ValidString(typed) { // the normalisers would make one replacement character of all that is broken
		return "", &Error{Rule: rule.Characters}
	}
	out, ok := form1(typed)
	if !ok {
		return "", &Error{Rule: rule.Characters}
	}
	if out == "" || len(out) > maxBytes {
		return "", &Error{Rule: rule.Length}
	}
	if again, ok := form1(out); !ok || again != out { // a form that moves would not be found again
		return "", &Error{Rule: rule.Characters}
	}
	return out, nil
}

// form1 is version 1. Never change what it returns: add another version.
func form1(typed string) (string, bool) {
	ok := true
	s := strings.Map(func(c rune) rune {
		switch {
		case ignorable(c):
			return -1
		case !unicode.In(c, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs):
			ok = false
			return -1
		}
		return c
	}, typed)
	if !ok {
		return "", false
	}
	// Folding undoes composed forms and composing undoes folded ones: this order is that of Unicode 3.13, R5.
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(cases.Fold().String(norm.NFD.String(s)))))
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\u2018', c == '\u2019', c == '\u02bc', c == '\u2032', c == '`':
			return '\''
		case unicode.Is(unicode.Pd, c), c == '\u2212':
			return '-'
		}
		return c
	}, s)
	return strings.Join(strings.Fields(s), " "), true
}

// ignorable reports whether a character shows nothing by itself: joiners, marks of direction, fillers, variants of emoji.
func ignorable(c rune) bool {
	return unicode.In(c, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
