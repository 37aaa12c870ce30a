package texts

// Seams for the tests of this package.
var (
	GSM    = gsm
	Linked = linked
	Wrap   = wrap
)

// ShortPatterns are the patterns of the text messages of one language, as they are written.
func ShortPatterns(locale string) []string {
	l := match(locale)
	return []string{l.part.short, l.changed.short, l.revoked.short, l.locked.short, l.code.short}
}
