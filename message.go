package civicpin

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"time"

	"github.com/civicpin/civicpin/internal/names"
)

// A Channel is a way to reach a person. Callers may define their own for what these constants do not name.
type Channel string

// The channels that the library knows rules for.
const (
	SMS            Channel = "sms"             // text message; Address in E.164 form, "+393331234567"
	Voice          Channel = "voice"           // spoken by telephone; Address in E.164 form
	Email          Channel = "email"           // Address without display name
	CertifiedEmail Channel = "certified-email" // PEC in Italy; Address without display name
	Push           Channel = "push"            // to an app; Address is the caller's id of the installation
	Letter         Channel = "letter"          // by post; printed by the caller; Address is the postal address
	HandedOver     Channel = "handed-over"     // printed and handed over in person; Address is empty
)

// Phone reports whether addresses of the channel are telephone numbers.
func (c Channel) Phone() bool { return c == SMS || c == Voice }

// Mail reports whether the channel is e-mail, certified or not. A channel of the caller's own is not.
func (c Channel) Mail() bool { return c == Email || c == CertifiedEmail }

// Printed reports whether the caller prints what is delivered over the channel, instead of a [Notifier] sending it.
func (c Channel) Printed() bool { return c == Letter || c == HandedOver }

// A Contact is a person's address on one channel.
type Contact struct {
	// Channel and Address say where it is. Validate says what an address looks like on which channel. Both are required, but
	// for the address of HandedOver.
	Channel Channel
	Address string
	// Locale is the language of messages to this contact as a BCP 47 tag, "it" or "es-EC"; empty means the notifier's
	// default.
	Locale string
}

// Validate returns nil, or an error that matches [ErrInvalid] if the channel is empty or the address does not fit it: E.164
// for telephones, one plain address for e-mail, nothing for HandedOver, otherwise 1 to 512 printable bytes. A postal address
// may have several lines, each of them printable and the first not empty. Validate does not ask whether the address
// exists.
func (c Contact) Validate() error {
	if c.Channel == "" || !names.Printable(string(c.Channel), 32) {
		return invalid("contact needs a channel of 1 to 32 printable bytes")
	}
	if !names.Printable(c.Locale, 35) { // RFC 5646 4.4.1: 35 is room for any registered tag
		return invalid("contact locale is longer than 35 bytes or not printable")
	}
	fits := names.Printable
	if c.Channel == Letter {
		fits = names.PrintableLines
	}
	if !fits(c.Address, 512) {
		return invalid("contact address is longer than 512 bytes or not printable")
	}
	switch {
	case c.Channel == HandedOver:
		if c.Address != "" {
			return invalid("a contact for handing over has no address")
		}
	case c.Address == "":
		return invalid("contact address is empty")
	case c.Channel.Phone():
		if !e164(c.Address) {
			return invalid("telephone number is not in E.164 form")
		}
	case c.Channel.Mail():
		a, err := mail.ParseAddress(c.Address)
		if err != nil || a.Address != c.Address || a.Name != "" || len(c.Address) > 254 { // RFC 5321 4.5.3.1.3
			return invalid("e-mail address is not one plain address")
		}
	}
	return nil
}

// e164 reports whether s is "+", a digit from 1 to 9, and 6 to 14 more digits (ITU-T E.164: at most 15 digits).
func e164(s string) bool {
	if len(s) < 8 || len(s) > 16 || s[0] != '+' || s[1] == '0' {
		return false
	}
	return strings.Trim(s[1:], "0123456789") == ""
}

// SameAddress reports whether two contacts reach the same place, so that the holder of one holds the other: equal
// addresses without regard to case, whatever the channel (a call and a text message reach one telephone).
func (c Contact) SameAddress(other Contact) bool {
	return c.Address != "" && c.Canonical() == other.Canonical()
}

// Canonical returns the address in the form in which it is compared and counted: without regard to case.
func (c Contact) Canonical() string { return strings.ToLower(c.Address) }

// Prefix returns the country calling code of a telephone number, "+39", and "" for other channels. A number that no code
// fits gives its first three digits.
func (c Contact) Prefix() string {
	if !c.Channel.Phone() || !e164(c.Address) {
		return ""
	}
	digits := c.Address[1:]
	switch {
	case digits[0] == '1' || digits[0] == '7':
		return c.Address[:2]
	case strings.Contains(twoDigitCodes, " "+digits[:2]+" "):
		return c.Address[:3]
	}
	return c.Address[:4]
}

// twoDigitCodes are the country calling codes of two digits (ITU-T E.164, list of assigned country codes). Codes of one
// digit are 1 and 7; all others have three.
const twoDigitCodes = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66" +
	" 81 82 84 86 90 91 92 93 94 95 98 "

// Masked returns the address with its middle hidden, to be shown to a visitor who may not be its owner: "+39******567",
// "m***@example.org". For a letter it returns only asterisks.
func (c Contact) Masked() string {
	switch {
	case c.Address == "":
		return ""
	case c.Channel.Phone() && len(c.Address) > 6:
		return c.Address[:3] + strings.Repeat("*", len(c.Address)-6) + c.Address[len(c.Address)-3:]
	case c.Channel.Mail():
		if at := strings.LastIndexByte(c.Address, '@'); at > 0 {
			first := []rune(c.Address[:at])[0]
			return string(first) + "***" + c.Address[at:]
		}
	}
	return "***"
}

// A MessageKind says what a [Message] is about; a package that sends messages defines its kinds as constants.
type MessageKind string

// A Message is something to be told to a person, as data: the notifier words it. Package texts has ready texts.
type Message struct {
	// ID is the same for each try to send this message; give it to the provider as its idempotency key.
	ID string
	// Kind says what the message is about, and To where it goes.
	Kind MessageKind
	To   Contact
	// Secret is the code or part of a PIN that the message carries, for the person to type; empty if it carries none.
	Secret Secret
	// Link is the token of the link that the message carries, in the characters that an address takes as they are: letters,
	// digits and "-._~" (RFC 3986 2.3); empty if it carries none. The notifier puts it behind an address that is fixed in its
	// own configuration, as the fragment: "https://portal.example/recover#" and the token. A path or query ends up in logs and
	// Referer headers (OWASP ASVS 5.0 14.2.1), and an address made from a request's Host header is the attacker's.
	//
	// In a message with both, Secret and Link are two faces of one record: either is enough, and using one ends both. So a
	// channel over which no link should go takes the Secret.
	Link Secret
	// Part and Parts say which of how many: Part 1 of 2. Both are zero where there are no parts.
	Part, Parts int
	// ExpiresAt is when Secret and Link stop being good; zero if they do not.
	ExpiresAt time.Time
	// Params holds further plain values that the kind's documentation names. It never holds a secret.
	Params map[string]string
}

// A Notifier hands messages to a provider that delivers them, such as an SMS gateway. It must be safe for concurrent use.
type Notifier interface {
	// Notify returns when the provider took the message over, with the id under which the provider reports on it later
	// (empty if it does not). Errors:
	//   - [ErrUndeliverable]: this message will never be delivered.
	//   - any other: it is taken as temporary, and the message is tried again.
	Notify(ctx context.Context, m Message) (receipt string, err error)
}

// A Checker tells in advance which messages a [Notifier] would refuse, so that a call that promises a message can refuse it
// first: otp and contact ask at each request, and the constructors of otp, pin, contact and recovery for policies and plans.
// Notifiers may implement it: [ByChannel] and those of package texts do. One that does not is taken to accept every message.
type Checker interface {
	// Check returns nil, or an error that matches [ErrUndeliverable] if Notify could never deliver m: there are no words for
	// its kind, no route for its channel, or the text is too long. It does no I/O, gives equal messages equal answers, and must
	// be safe for concurrent use. Its errors must not hold secrets.
	//
	// m may be a sample. An empty To.Address stands for any address of the channel, and an empty To.Locale for every language
	// that the Notifier writes: the answer must not depend on the subject, or it would reveal who is registered.
	Check(m Message) error
}

// ErrUndeliverable marks an error of a [Notifier] as final: no such number, no such mailbox. Wrap it:
// fmt.Errorf("%w: 550", civicpin.ErrUndeliverable).
var ErrUndeliverable = errors.New("civicpin: undeliverable")

// NotifierFunc lets a function be a [Notifier].
type NotifierFunc func(ctx context.Context, m Message) (receipt string, err error)

// Notify calls f, and returns its error.
func (f NotifierFunc) Notify(ctx context.Context, m Message) (string, error) { return f(ctx, m) }

// ByChannel is a [Notifier] that passes each message to the notifier of its channel. Do not change the map once it is in use.
type ByChannel map[Channel]Notifier

var _ Checker = ByChannel(nil)

// Notify passes m to the notifier of its channel, and returns its error. Without such a notifier the error matches
// [ErrUndeliverable].
func (b ByChannel) Notify(ctx context.Context, m Message) (string, error) {
	n, err := b.route(m.To.Channel)
	if err != nil {
		return "", err
	}
	return n.Notify(ctx, m)
}

// Check implements [Checker]: it asks the notifier of the message's channel, if that is a Checker. Without a notifier for the
// channel the error matches [ErrUndeliverable].
func (b ByChannel) Check(m Message) error {
	n, err := b.route(m.To.Channel)
	if err != nil {
		return err
	}
	if c, ok := n.(Checker); ok {
		return c.Check(m)
	}
	return nil
}

// route returns the notifier of a channel.
func (b ByChannel) route(c Channel) (Notifier, error) {
	if n := b[c]; n != nil {
		return n, nil
	}
	return nil, errors.Join(ErrUndeliverable, errors.New("civicpin: no notifier for channel "+string(c)))
}
