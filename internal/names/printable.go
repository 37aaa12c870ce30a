package names

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Printable reports whether s is at most so many bytes of valid UTF-8 in which every character shows ([Shows]), without a
// blank at either end. Such a text stands on one line of a log, a header or a message, and hides nothing from its reader. The
// empty text is printable.
func Printable(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.HasPrefix(s, " ") && !strings.HasSuffix(s, " ") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !Shows(r) })
}

// PrintableLines is Printable for a text of several lines, a postal address: each line is printable, and the first says
// something. Lines end in "\n" or "\r\n".
func PrintableLines(s string, most int) bool {
	if len(s) > most {
		return false
	}
	for i, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if !Printable(line, most) || i == 0 && line == "" && s != "" {
			return false
		}
	}
	return true
}

// Shows reports whether a character is a letter, mark, number, punctuation or symbol that a reader sees, or the ordinary
// blank. These are not:
//   - control characters, and line and paragraph separators: they end a line of the log early;
//   - format characters and the others that Unicode lets a display ignore, such as zero-width and bidirectional marks, tags,
//     soft hyphens, variation selectors and fillers: they hide text, turn it around, or make two equal texts differ;
//   - blanks other than the ordinary one: they look like it;
//   - surrogates, and private and unassigned characters: each program shows them in its own way.
func Shows(r rune) bool {
	const brailleBlank = '\u2800' // a symbol by its category, and empty by its glyph
	return unicode.IsPrint(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Fold returns the form in which ids of operators are compared: without regard to case, and to how accents are composed.
func Fold(s string) string {
	return norm.NFC.String(strings.Map(lower, cases.Fold().String(norm.NFD.String(s))))
}

// lower returns one character of those that differ only in case, whichever of them it is given: [cases.Fold] turns each of
// the two cases of Cherokee into the other.
func lower(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}

// Composed reports whether s is in the normal form NFC, so that no other spelling of the same characters is.
func Composed(s string) bool { return norm.NFC.IsNormalString(s) }
