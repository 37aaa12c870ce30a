package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	gomail "github.com/wneessen/go-mail"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// A mailer sends e-mails to a real server, and never without TLS: they hold links and halves of secrets.
type mailer struct {
	client *gomail.Client
	from   string
}

// newMailer reads the flag -smtp: smtp://user:password@host:587?from=pin@agency.example. The errors do not quote it. trust is
// nil but in tests: whom to trust is then the system's to say.
func newMailer(address string, trust *tls.Config) (*mailer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" || u.Query().Get("from") == "" {
		return nil, errors.New("portal: -smtp takes smtp://user:password@host:587?from=pin@agency.example")
	}
	options := []gomail.Option{gomail.WithTLSPolicy(gomail.TLSMandatory)}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		options = append(options, gomail.WithPort(port))
	}
	if trust != nil {
		options = append(options, gomail.WithTLSConfig(trust))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, errors.New("portal: -smtp: no server can be reached by this address")
	}
	return &mailer{client, u.Query().Get("from")}, nil
}

// mailPrefix stands before the ids of e-mails, as smsPrefix before those of text messages. A mail server reports nothing to a
// page: what it cannot deliver later it sends back to the sender, in an e-mail that quotes the Message-ID (RFC 3464). A portal
// that reads that mailbox hands mailPrefix and the id to pin.Service.Receipt, and then to outbox.Outbox.Bounced. This one reads
// none.
const mailPrefix = "mail/"

// send sends one e-mail, and returns its receipt. What the server refuses for good is not tried again; anything else is, by the
// outbox, and the id in the Message-ID then tells the reader's program that it is the same one.
func (m *mailer) send(ctx context.Context, id string, to civicpin.Contact, text texts.Text) (receipt string, err error) {
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(message.From(m.from), message.To(to.Address)); err != nil {
		return "", fmt.Errorf("%w: not an address that an e-mail can go to", civicpin.ErrUndeliverable)
	}
	message.SetMessageIDWithValue(id + "@portal")
	message.SetGenHeader("Auto-Submitted", "auto-generated") // no holiday reply quotes the code (RFC 3834 5)
	message.Subject(text.Subject)
	message.SetBodyString(gomail.TypeTextPlain, text.Body.Reveal())
	err = m.client.DialAndSendWithContext(ctx, message)
	if refused, ok := errors.AsType[*gomail.SendError](err); ok && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return "", fmt.Errorf("%w: the mail server refuses with %d", civicpin.ErrUndeliverable, refused.ErrorCode())
	}
	return mailPrefix + id, err
}
