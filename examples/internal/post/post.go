// Package post is the post office of the examples: a civicpin.Notifier that delivers every message into a folder, as the
// file that would have been sent, and an [Inbox] in which the citizen of the example finds it.
//
//	0001-sms-+393331234567.txt
//	0002-email-maria@example.org.eml
//	0003-letter-Via Roma 1%0A00184 Roma.txt
//
// An .eml file opens in any mail program. In production a notifier hands the same words to an SMS gateway and a mail
// server instead; what it must get right is the same, and [Box.Notify] shows it: an error is final only if it says so.
//
// The files hold codes in plain text, as telephones and letter boxes do, and so are readable by their owner only.
package post

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// CitizenCertifiedEmail is "PEC cittadino", the certified e-mail that the Italian state once gave its citizens: a channel
// that the library does not name, and which policies like pin.INPS list nevertheless. It is delivered as certified e-mail.
const CitizenCertifiedEmail civicpin.Channel = "citizen-certified-email"

// Two ways for a delivery to fail, for [Box.Fail].
var (
	// ErrMailboxFull is a failure that passes: the message is tried again.
	ErrMailboxFull = errors.New("post: 452 4.2.2 mailbox full")
	// ErrNoSuchAddress is final.
	ErrNoSuchAddress = fmt.Errorf("%w: 550 5.1.1 no such address", civicpin.ErrUndeliverable)
)

// Options configure a [Box].
type Options struct {
	// From is the sender of e-mails; required.
	From mail.Address
	// Words words the messages; required. Usually it is the method Render of a [texts.Writer].
	Words func(m civicpin.Message) (texts.Text, error)
	// Now dates the e-mails; nil means time.Now.
	Now func() time.Time
}

// A Box is the folder into which messages are delivered. It is safe for concurrent use, also by several processes. Make
// one with [Open].
type Box struct {
	folder string
	opts   Options

	mu      sync.Mutex
	failing map[string]error // by address in lower case
}

var _ civicpin.Notifier = (*Box)(nil)

// Open returns a box that delivers into the folder, and makes the folder if it is not there. Numbering goes on after the
// files that it holds.
func Open(folder string, opts Options) (*Box, error) {
	if opts.From.Address == "" || opts.Words == nil {
		return nil, errors.New("post: Open: no sender, or no wording")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("post: open: %w", err)
	}
	return &Box{folder: folder, opts: opts, failing: make(map[string]error)}, nil
}

// Fail makes every delivery to an address fail with err, until it is called again with nil.
func (b *Box) Fail(address string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failing[strings.ToLower(address)] = err
}

// Notify writes the message into the next file; the receipt is the file's name. A message that there are no words for, a
// channel that it does not know, or an address that does not fit the channel gives an error that matches
// civicpin.ErrUndeliverable: no later try would go better. Any other error passes.
//
// What the library leaves to the program to print, a letter or a slip handed over, it delivers as well: make a Message
// of it.
func (b *Box) Notify(ctx context.Context, m civicpin.Message) (receipt string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	name, ok := fileName(m.To)
	if !ok {
		return "", fmt.Errorf("%w: no delivery over channel %q", civicpin.ErrUndeliverable, m.To.Channel)
	}
	if m.To.Channel == CitizenCertifiedEmail {
		m.To.Channel = civicpin.CertifiedEmail // for the library a channel of one's own is like an app's
	}
	if err := m.To.Validate(); err != nil {
		return "", errors.Join(civicpin.ErrUndeliverable, err)
	}
	if err := b.failure(m.To.Address); err != nil {
		return "", err
	}
	text, err := b.opts.Words(m)
	if err != nil {
		return "", errors.Join(civicpin.ErrUndeliverable, err)
	}
	content := []byte(text.Body.Reveal())
	switch {
	case isEmail(m.To.Channel):
		if content, err = b.email(m, text); err != nil {
			return "", err
		}
	case text.Subject != "" && !m.To.Channel.Printed(): // a page has its heading in the text
		content = fmt.Appendf(nil, "%s\n\n%s", text.Subject, content)
	}
	return deliver(b.folder, name, content)
}

func (b *Box) failure(address string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failing[strings.ToLower(address)]
}
