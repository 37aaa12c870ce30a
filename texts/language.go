package texts

import (
	"strings"
	"time"

	"github.com/civicpin/civicpin"
)

// The paragraphs that are the code and the link.
const (
	codeLine = "{code}"
	linkLine = "{link}"
)

// A language holds the words of one language. The three are constant: nothing writes to them.
type language struct {
	tag      string
	greeting string
	help     string                 // last paragraph of what is written at length
	destroy  string                 // on paper that carries a code
	more     string                 // behind a message that stands for others
	short    func(time.Time) string // at most 17 characters of the GSM alphabet
	long     func(time.Time) string

	part, activation, changed, revoked, locked, code wording
	recovery                                         recovery
	refusals                                         map[string]string // by code, see [Refusal]
}

// recovery holds the words for recovering, unlocking and contacts.
type recovery struct {
	link, activate, unlock, prove, code wording
	waiting, done, unlocked, contact    wording
	changes                             changes
}

// changes say what was done to a contact.
type changes struct{ added, changed, removed, primary, settling, some string }

// of returns the words for a parameter "change", and whether there are any.
func (c changes) of(change string) (string, bool) {
	switch change {
	case "":
		return c.some, true
	case "added":
		return c.added, true
	case "changed":
		return c.changed, true
	case "removed":
		return c.removed, true
	case "primary":
		return c.primary, true
	case "settling":
		return c.settling, true
	}
	return "", false
}

// wording returns the words for a kind, and whether there are any. What there are no parts of is an activation code.
func (l *language) wording(kind civicpin.MessageKind, parts int) (wording, bool) {
	switch kind {
	case pinPart:
		if parts <= 1 {
			return l.activation, true
		}
		return l.part, true
	case pinChanged:
		return l.changed, true
	case pinRevoked:
		return l.revoked, true
	case pinLocked:
		return l.locked, true
	case otpCode:
		return l.code, true
	case recoveryLink:
		return l.recovery.link, true
	case recoveryActivate:
		return l.recovery.activate, true
	case recoveryUnlock:
		return l.recovery.unlock, true
	case recoveryCode:
		return l.recovery.code, true
	case recoveryWaiting:
		return l.recovery.waiting, true
	case recoveryDone:
		return l.recovery.done, true
	case recoveryUnlocked:
		return l.recovery.unlocked, true
	case contactProve:
		return l.recovery.prove, true
	case contactChanged:
		return l.recovery.contact, true
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
