package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// A mailServer takes e-mails over TLS, but for one address.
type mailServer struct {
	mu    sync.Mutex
	mails []string
}

func (s *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{s}, nil }

type mailSession struct{ server *mailServer }

func (s *mailSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "gone@"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such address"}
	case strings.HasPrefix(to, "full@"):
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, string(text))
	return err
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

// E-mails go over TLS or not at all; what is refused for good is said to be, and what passes is not.
func TestSMTP(t *testing.T) {
	certificates := httptest.NewUnstartedServer(nil)
	certificates.StartTLS()
	defer certificates.Close()
	pool := x509.NewCertPool()
	pool.AddCert(certificates.Certificate())
	trust := &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}

	start := func(config *tls.Config) (*mailServer, string) {
		backend := new(mailServer)
		server := smtp.NewServer(backend)
		server.Domain, server.TLSConfig = "example.com", config
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() { _ = server.Serve(listener) }() // ends with Close
		t.Cleanup(func() { _ = server.Close() })
		return backend, "smtp://" + listener.Addr().String() + "?from=pin@agency.example"
	}
	backend, address := start(&tls.Config{Certificates: certificates.TLS.Certificates, MinVersion: tls.VersionTLS12})
	m, err := newMailer(address, trust)
	require.NoError(t, err)
	to := func(name string) civicpin.Contact {
		return civicpin.Contact{Channel: civicpin.Email, Address: name + "@example.it"}
	}
	text := texts.Text{Subject: "Il suo PIN", Body: civicpin.NewSecret("mezzo PIN: K7PM 2QRD")}
	receipt, err := m.send(t.Context(), "one", to("maria"), text)
	require.NoError(t, err)
	require.Equal(t, "mail/one", receipt, "no key of an SMS gateway reports on it")
	require.Len(t, backend.mails, 1)
	require.Contains(t, backend.mails[0], "K7PM 2QRD")
	require.Contains(t, backend.mails[0], "one@portal")
	_, err = m.send(t.Context(), "two", to("gone"), text)
	require.ErrorIs(t, err, civicpin.ErrUndeliverable)
	_, err = m.send(t.Context(), "three", to("full"), text)
	require.Error(t, err)
	require.NotErrorIs(t, err, civicpin.ErrUndeliverable)

	plain, address := start(nil)
	m, err = newMailer(address, trust)
	require.NoError(t, err)
	_, err = m.send(t.Context(), "four", to("maria"), text)
	require.Error(t, err)
	require.Empty(t, plain.mails)

	for _, wrong := range []string{"", "http://host?from=a@b.example", "smtp://host", "smtp://user:secret@"} {
		_, err := newMailer(wrong, nil)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret@")
	}
}

// The inbox says what arrives in it, and what goes elsewhere.
func TestInboxSays(t *testing.T) {
	smtp, sms := "-smtp=smtp://127.0.0.1:1?from=pin@agency.example", "-sms=http://t0ken@127.0.0.1:1/?key="+gatewayKey
	for want, flags := range map[string][]string{
		"inbox.say": nil, "inbox.say.smtp": {smtp}, "inbox.say.sms": {sms}, "inbox.say.smtp.sms": {sms, smtp},
	} {
		p := newPortal(t, flags...)
		words := p.words["en"][want]
		require.NotEmpty(t, words)
		require.Contains(t, newBrowser(t, p).open("/inbox").at("/inbox").body, "<p>"+words+"</p>", want)
	}
}
