package texts

import (
	"strings"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
)

// width is the greatest length of a line in e-mails and on paper, in characters.
const width = 72

// mail lays an e-mail out: the paragraphs of the kind, code and link alone on their lines, the name below.
func mail(wording wording, lang *language, v values) string {
	blocks := []string{lang.greeting}
	blocks = append(blocks, body(wording, lang, v)...)
	blocks = append(blocks, v.fill("{name}"))
	return strings.Join(blocks, "\n\n") + "\n"
}

// page lays a printed page out: the sender, the postal address if it goes by post, what it is about, and the same
// paragraphs.
func page(wording wording, lang *language, v values, to civicpin.Contact) string {
	blocks := []string{wrap(v.longName)}
	if to.Channel == civicpin.Letter && to.Address != "" {
		address := strings.Split(strings.ReplaceAll(strings.TrimSpace(to.Address), "\r\n", "\n"), "\n")
		blocks = append(blocks, "    "+strings.Join(address, "\n    "))
	}
	title := wrap(v.fill(wording.title))
	longest := 0
	for l := range strings.Lines(title) {
		longest = max(longest, utf8.RuneCountInString(strings.TrimSpace(l)))
	}
	blocks = append(blocks, title+"\n"+strings.Repeat("=", longest), lang.greeting)
	blocks = append(blocks, body(wording, lang, v)...)
	if v.code != "" {
		blocks = append(blocks, wrap(lang.destroy))
	}
	return strings.Join(blocks, "\n\n") + "\n"
}

// body returns the paragraphs of a kind. One that comes out empty is left out.
func body(wording wording, lang *language, v values) []string {
	var blocks []string
	for _, paragraph := range append(append([]string{}, wording.paragraphs...), "["+lang.more+"]", lang.help) {
		switch {
		case paragraph == codeLine && v.code != "":
			blocks = append(blocks, "    "+v.code)
			continue
		case paragraph == linkLine: // from the line's beginning to its end, so that mail programs take all of it
			if v.link != "" {
				blocks = append(blocks, v.link)
			}
			continue
		}
		if text := strings.TrimSpace(v.fill(paragraph)); text != "" {
			blocks = append(blocks, wrap(text))
		}
	}
	return blocks
}

// wrap breaks a paragraph into lines at its blanks. A word longer than a line gets one to itself.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
