package texts

// Refusal returns the words for a code of a web.Refusal, in the language of a locale, and whether there are any: it knows all
// codes that package web gives. A locale that there are no texts in gets English. The words tell nothing about a subject: those
// for "refused" do not say what was wrong. The rules for a choice ("choice.length") speak of "it": put them beside the field.
func Refusal(locale, code string) (string, bool) {
	lang := match(locale)
	if lang == nil {
		lang = &english
	}
	words, ok := lang.refusals[code]
	return words, ok
}
