package texts

import (
	"strings"
	"time"

	"github.com/civicpin/civicpin"
)

// codeLine is the paragraph that is the code.
const codeLine = "{code}"

// A language holds the words of one language. The three are constant: nothing writes to them.
type language struct {
	tag      string
	greeting string
	help     string                 // last paragraph of what is written at length
	destroy  string                 // on paper that carries a code
	short    func(time.Time) string // at most 17 characters of the GSM alphabet
	long     func(time.Time) string

	part, changed, revoked, locked, code wording
}

// wording returns the words for a kind, and whether there are any.
func (l *language) wording(kind civicpin.MessageKind) (wording, bool) {
	switch kind {
	case PINPart:
		return l.part, true
	case PINChanged:
		return l.changed, true
	case PINRevoked:
		return l.revoked, true
	case PINLocked:
		return l.locked, true
	case OTPCode:
		return l.code, true
	}
	return wording{}, false
}

// A wording holds the patterns of one kind of message.
type wording struct {
	title      string   // an app's notice, the heading of a page
	subject    string   // of an e-mail
	short      string   // text message, app
	spoken     string   // call
	paragraphs []string // e-mail and paper
}

// match returns the language of a BCP 47 tag by its first subtag, nil if there are no texts in it. The regions differ in
// nothing that these texts say.
func match(locale string) *language {
	base, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	switch strings.ToLower(base) {
	case "en":
		return &english
	case "es":
		return &spanish
	case "it":
		return &italian
	}
	return nil
}
