package texts

import "github.com/civicpin/civicpin"

// Seams for the tests of this package.
var (
	GSM    = gsm
	Linked = linked
	Wrap   = wrap
)

// ShortPattern is the pattern of a kind's text message in a language, as it is written.
func ShortPattern(locale string, kind civicpin.MessageKind, parts int) string {
	w, _ := match(locale).wording(kind, parts)
	return w.short
}

// Change is what a text says of a change of contacts.
func Change(locale, change string) string {
	words, _ := match(locale).recovery.changes.of(change)
	return words
}
