package post

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

func isEmail(c civicpin.Channel) bool {
	return c == civicpin.Email || c == civicpin.CertifiedEmail || c == CitizenCertifiedEmail
}

// email returns the message as a mail server would be given it (RFC 5322, MIME).
func (b *Box) email(m civicpin.Message, text texts.Text) ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&b.opts.From)
	if err := msg.To(m.To.Address); err != nil {
		return nil, errors.Join(civicpin.ErrUndeliverable, errors.New("post: not an address that an e-mail can go to"))
	}
	msg.Subject(text.Subject)
	msg.SetDateWithValue(b.opts.Now())
	msg.SetMessageIDWithValue(b.messageID(m.ID))
	// Keeps holiday replies, which quote the message and with it the code, from being sent (RFC 3834 5).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, text.Body.Reveal())

	var out bytes.Buffer
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("post: write e-mail: %w", err)
	}
	return out.Bytes(), nil
}

// messageID makes the Message-ID from the message's own id, so that a mail that is sent again after a crash, although it had
// arrived, is seen to be the same one. An id that cannot stand there (RFC 5322 3.6.4) is replaced by a random one.
func (b *Box) messageID(id string) string {
	if id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		id = rand.Text()
	}
	_, domain, _ := strings.Cut(b.opts.From.Address, "@")
	return id + "@" + domain
}
