// Package texts has ready texts for the messages of this library, in English, Spanish and Italian, for each channel: text
// message, call, app, e-mail, letter, slip handed over.
//
//	w, err := texts.New(texts.Service{Name: "INPS", Location: rome})
//	text, err := w.Render(message) // or w.Notifier(send), which does it for every message
//
// A [civicpin.Message] is data; whoever wants other words writes them, and needs nothing of this package.
//
// # What the texts keep to
//
// A text for a telephone or an app is the name of the service, the code and what it is for, and the advice to tell it to
// nobody. It is one message of at most 160 characters of the GSM 7-bit alphabet (3GPP TS 23.038): a single accent outside of
// that alphabet would leave room for 70.
//
// No text message, call, app's notice, letter or slip has a link: INPS tells citizens that its text messages carry none, so
// that one that does is known to be false. A service whose name would be taken for a link is refused.
//
// An e-mail has a link if it is of a kind that carries one's token: the fixed Service.Page, "#" and the token, alone on a
// line. What is behind the "#" is in no log and no Referer header (OWASP ASVS 5.0 14.2.1). Such an e-mail also tells with what
// the page's address begins, and to open the page oneself if in doubt, and type the code if it has one. No e-mail has any
// other address.
//
// # Kinds of messages
//
// A message has texts if it is of one of these kinds. The constant in the second column documents what it needs.
//
//	pin.part, pin.changed, pin.revoked, pin.locked      pin.PartMessage, NoticeChanged, NoticeRevoked, NoticeLocked
//	otp.code                                            otp.CodeMessage
//	recovery.link, recovery.activate, recovery.unlock   recovery.LinkMessage, ActivateMessage, UnlockMessage
//	recovery.code                                       recovery.CodeMessage
//	recovery.waiting, recovery.done, recovery.unlocked  recovery.NoticeWaiting, NoticeDone, NoticeUnlocked
//	contact.prove, contact.changed                      contact.ProofMessage, NoticeChanged
//
// What the texts add to that:
//
//   - A code is 1 to 24 ASCII letters and digits, of otp.code 1 to 12; blanks and hyphens in it are left out.
//   - A token is 1 to 256 letters, digits and "-._~". It is told by e-mail and certified e-mail only, and only if there is a
//     Service.Page. A message with a token and no code that would then tell neither is refused; a notice advises to call.
//   - The parameter "act" of otp.code is at most 32 characters that a text message can carry, without a link.
//   - A kind that carries no Secret or no Link refuses one. ExpiresAt, Part and Parts, and "until" are told if they are set.
//   - The parameter "more" of any kind, a number from 1, says that the message stands for so many others like it, as package
//     outbox sends notices when there are very many. A text message tells it if there is room.
//
// No text names the citizen, tells the other parts, or says to which other address they went.
package texts

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/civicpin/civicpin"
)

// ErrContainsLink says that a text would have held what a telephone or a mail program shows as a link: "http", "www", "://", a
// full stop with a letter on one side and a letter or digit on the other, as in "inps.it", or four numbers with full stops
// between them, as in "192.0.2.1". Amounts and dates, "1.250,00" and "12.03.2026", are no links. A text is looked at in the
// form that is sent: in a text message "inps…it" becomes "inps.it".
var ErrContainsLink = errors.New("texts: a link in a text")

// An UnknownKindError says that there is no text for a kind of message.
type UnknownKindError struct {
	Kind civicpin.MessageKind // of the message
}

// Error names the kind.
func (e *UnknownKindError) Error() string {
	return fmt.Sprintf("texts: no text for kind %q", string(e.Kind))
}

// A Service is the sender of the messages.
type Service struct {
	// Name is the service's short name, "INPS", as it stands in text messages: 1 to 20 characters that a text message can
	// carry or that have a plain form there ("Administración" is sent as "Administracion"). Required.
	Name string
	// LongName is the name in e-mails and on paper, "Istituto Nazionale della Previdenza Sociale"; at most 100 characters.
	// Empty means Name.
	LongName string
	// Help is where the citizen can ask, in e-mails and on paper, "803 164"; at most 100 characters. Empty leaves the line out.
	Help string
	// Page is the address of the page that takes the tokens of links, "https://portal.example/recover": https, at most 200
	// bytes of letters, digits and "-._~:/%", without user, query and fragment. For development it may be http on localhost or
	// 127.0.0.1. It is fixed: an address made from a request's Host header would be the attacker's. Empty means that no e-mail
	// has a link.
	Page string
	// Locale is the language for contacts that name none, or one that there are no texts in: "en", "es" or "it", with or
	// without a region. Empty means English.
	Locale string
	// Location is where times are told; nil means UTC, which is then said beside each time.
	Location *time.Location
}

// A Text is a message in words.
type Text struct {
	// Language is "en", "es" or "it".
	Language string
	// Subject is the subject of an e-mail, the title of an app's notice or the heading of a page; empty for text messages and
	// calls. It never holds the code or the token.
	Subject string
	// Body is plain text, in lines of at most 72 characters for e-mail and paper; only a link is not broken. It is a Secret
	// whatever the message, since it may hold a code or a link: reveal it where it leaves the program.
	Body civicpin.Secret
}

// A Writer writes texts for one service. It is immutable and safe for concurrent use. Make one with [New].
type Writer struct {
	service  Service
	language *language
}

// New returns a Writer for a service. It gives an error that matches [civicpin.ErrInvalid] if a name or the help is too long
// or not printable, if the name cannot stand in a text message, if the page is not as its field says, or if there are no
// texts in the locale; and one that matches [ErrContainsLink] and names the field if the name, the long name or the help would
// be taken for a link.
func New(s Service) (*Writer, error) {
	if s.LongName == "" {
		s.LongName = s.Name
	}
	if s.Location == nil {
		s.Location = time.UTC
	}
	if s.Locale == "" {
		s.Locale = "en"
	}
	s.Name, s.LongName, s.Help = norm.NFC.String(s.Name), norm.NFC.String(s.LongName), norm.NFC.String(s.Help)
	lang := match(s.Locale)
	switch {
	case lang == nil:
		return nil, fmt.Errorf("texts: no texts in this locale: %w", civicpin.ErrInvalid)
	case s.Name == "" || utf8.RuneCountInString(s.Name) > 20 || !line(s.Name):
		return nil, fmt.Errorf("texts: name is not 1 to 20 printable characters: %w", civicpin.ErrInvalid)
	case utf8.RuneCountInString(s.LongName) > 100 || !line(s.LongName):
		return nil, fmt.Errorf("texts: long name is not at most 100 printable characters: %w", civicpin.ErrInvalid)
	case utf8.RuneCountInString(s.Help) > 100 || !line(s.Help):
		return nil, fmt.Errorf("texts: help is not at most 100 printable characters: %w", civicpin.ErrInvalid)
	case s.Page != "" && !validPage(s.Page):
		return nil, fmt.Errorf("texts: page is not a plain https address of at most %d bytes: %w", maxPage, civicpin.ErrInvalid)
	}
	if field := s.linked(); field != "" {
		return nil, fmt.Errorf("%w: Service.%s would be taken for one", ErrContainsLink, field)
	}
	if name, ok := gsm(s.Name); !ok || septets(name) > 20 {
		return nil, fmt.Errorf("texts: name cannot stand in a text message: %w", civicpin.ErrInvalid)
	}
	return &Writer{service: s, language: lang}, nil
}

// linked returns the name of the first field that would be taken for a link, "" if none would.
func (s *Service) linked() string {
	sent, _ := gsm(s.Name)
	switch {
	case linked(s.Name), linked(sent):
		return "Name"
	case linked(s.LongName):
		return "LongName"
	case linked(s.Help):
		return "Help"
	}
	return ""
}

// Render returns the text of a message, in the language of m.To.Locale. No error holds the code or the token. A channel of the
// caller's own gets the text of an app's notice. Errors:
//   - an [*UnknownKindError]: the kind has no texts.
//   - [civicpin.ErrInvalid]: the message is not as its kind's documentation says, or its contact is invalid.
//   - [ErrContainsLink]: the text would have a link that is not the message's.
func (w *Writer) Render(m civicpin.Message) (Text, error) {
	lang := w.in(m.To.Locale)
	if _, ok := lang.wording(m.Kind, m.Parts); !ok {
		return Text{}, &UnknownKindError{Kind: m.Kind}
	}
	if err := m.To.Validate(); err != nil {
		return Text{}, fmt.Errorf("texts: %w", err)
	}
	return w.render(m, lang)
}

// render is Render in a language, whatever the address.
func (w *Writer) render(m civicpin.Message, lang *language) (Text, error) {
	wording, ok := lang.wording(m.Kind, m.Parts)
	if !ok {
		return Text{}, &UnknownKindError{Kind: m.Kind}
	}
	v, err := w.values(m, lang)
	if err != nil {
		return Text{}, err
	}
	t := Text{Language: lang.tag}
	switch c := m.To.Channel; {
	case c.Mail():
		t.Subject = v.fill(wording.subject)
		t.Body = civicpin.NewSecret(mail(wording, lang, v))
	case c.Printed():
		t.Subject = v.fill(wording.subject)
		t.Body = civicpin.NewSecret(page(wording, lang, v, m.To))
	case c == civicpin.Voice:
		return spoken(t, wording, lang, v)
	default:
		if c != civicpin.SMS {
			t.Subject = v.fill(wording.title)
		}
		return short(t, wording, lang, v)
	}
	return t, nil
}

// in returns the language for a locale.
func (w *Writer) in(locale string) *language {
	if lang := match(locale); lang != nil {
		return lang
	}
	return w.language
}

// short is a text message or an app's notice: one line, no link, one message long. That it stands for others is left out if it
// does not fit.
func short(t Text, wording wording, lang *language, v values) (Text, error) {
	body, ok := gsm(v.fill(wording.short))
	if whole, _ := gsm(v.fill(wording.short + "[ " + lang.more + "]")); septets(whole) <= 160 {
		body = whole
	}
	if !ok || septets(body) > 160 {
		return Text{}, fmt.Errorf("texts: text does not fit one text message: %w", civicpin.ErrInvalid)
	}
	bare, _ := gsm(v.codeless().fill(wording.short))
	return unlinked(t, body, bare, v.code)
}

// spoken is what a machine reads aloud: the code character by character, twice.
func spoken(t Text, wording wording, lang *language, v values) (Text, error) {
	return unlinked(t, v.fill(wording.spoken+"[ "+lang.more+"]"), v.codeless().fill(wording.spoken), v.code)
}

// unlinked sets the body, and refuses one with a link. The code is letters and digits in upper case as a rule, among which
// "WWW" or "HTTP" may come up by chance and harm nobody, so it is the bare body, without the code, that is looked at, and the
// whole only for the spellings that a telephone would take for an address. Both are in the form that is sent.
func unlinked(t Text, body, bare, code string) (Text, error) {
	if linked(bare) || (code != "" && (strings.Contains(body, "http") || strings.Contains(body, "www"))) {
		return Text{}, ErrContainsLink
	}
	t.Body = civicpin.NewSecret(body)
	return t, nil
}
