package post_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/texts"
)

const (
	phone  = "+393331234567"
	email  = "maria@example.org"
	street = "Via Roma 1/b\n00184 Roma"
)

var noon = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)

// words is a wording with all that an e-mail must encode: accents, a long line, a line that begins with a dot.
func words(m civicpin.Message) (texts.Text, error) {
	if m.Kind == "unworded" {
		return texts.Text{}, errors.New("no words")
	}
	body := fmt.Sprintf("Perché %s?\n.\nCodice: %s\n%s\n", m.Kind, m.Secret.Reveal(), strings.Repeat("è lungo ", 30))
	text := texts.Text{Body: civicpin.NewSecret(body)}
	if m.To.Channel != civicpin.SMS && m.To.Channel != civicpin.Voice {
		text.Subject = "La metà del PIN: può usarla subito"
	}
	return text, nil
}

func open(t *testing.T, folder string) *post.Box {
	t.Helper()
	b, err := post.Open(folder, post.Options{
		From:  mail.Address{Name: "Ente di Prova", Address: "pin@ente.example"},
		Words: words,
		Now:   func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func message(c civicpin.Channel, address, code string) civicpin.Message {
	return civicpin.Message{ID: "m-" + code, Kind: "test", To: civicpin.Contact{Channel: c, Address: address}, Secret: civicpin.NewSecret(code)}
}

func send(t *testing.T, b *post.Box, m civicpin.Message) string {
	t.Helper()
	receipt, err := b.Notify(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func TestEveryChannelAsFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "post")
	b := open(t, folder)
	for _, c := range []struct {
		m          civicpin.Message
		file, text string
	}{
		{message(civicpin.SMS, phone, "AA11"), "0001-sms-+393331234567.txt", "Perché test?\n"},
		{message(civicpin.Email, email, "AA12"), "0002-email-maria@example.org.eml", "Perché test?\n"},
		{message(civicpin.CertifiedEmail, "maria@pec.example", "AA13"), "0003-certified-email-maria@pec.example.eml", "Perché test?\n"},
		{message(civicpin.Letter, street, "AA14"), "0004-letter-Via Roma 1%2Fb%0A00184 Roma.txt", "Perché test?\n"},
		{message(civicpin.HandedOver, "", "AA15"), "0005-handed-over.txt", "Perché test?\n"},
		{message(civicpin.Voice, "+34912345678", "AA16"), "0006-voice-+34912345678.txt", "Perché test?\n"},
		{message(post.CitizenCertifiedEmail, "maria@cec.example", "AA18"), "0007-citizen-certified-email-maria@cec.example.eml", "Perché test?\n"},
		{message(civicpin.Push, "../../up", "AA17"), "0008-push-..%2F..%2Fup.txt", "La metà del PIN: può usarla subito\n\nPerché test?\n"},
	} {
		receipt := send(t, b, c.m)
		if receipt != c.file {
			t.Errorf("receipt %q, want %q", receipt, c.file)
		}
		info, err := os.Stat(filepath.Join(folder, c.file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is readable by others: %v", c.file, info.Mode())
		}
		got, err := post.Inbox(folder).Last(c.m.To.Address)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got.Text, c.text) || !strings.Contains(got.Text, "\nCodice: "+c.m.Secret.Reveal()+"\n") {
			t.Errorf("%s reads %q", c.file, got.Text)
		}
		if got.File != c.file || got.Channel != c.m.To.Channel {
			t.Errorf("found %s, %s", got.File, got.Channel)
		}
		if isMail := strings.HasSuffix(c.file, ".eml"); isMail != (got.Subject == "La metà del PIN: può usarla subito") {
			t.Errorf("%s has subject %q", c.file, got.Subject)
		}
	}
	if info, _ := os.Stat(folder); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is readable by others: %v", info.Mode())
	}
}

// TestEmail reads an .eml file as any mail program would.
func TestEmail(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	file := send(t, b, message(civicpin.Email, email, "AB12"))
	raw, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.SplitAfter(string(raw), "\n") {
		text, ended := strings.CutSuffix(line, "\r\n")
		plain := !strings.ContainsFunc(text, func(r rune) bool { return r > '~' || r < ' ' })
		if line != "" && (!ended || !plain || len(text) > 78) { // RFC 5322 2.1.1
			t.Errorf("line %d is not of a mail: %q", i+1, line)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || *from[0] != (mail.Address{Name: "Ente di Prova", Address: "pin@ente.example"}) {
		t.Errorf("From: %v, %v", from, err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != email {
		t.Errorf("To: %v, %v", to, err)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(noon) {
		t.Errorf("Date: %v, %v", date, err)
	}
	for header, want := range map[string]string{
		"Message-ID":     "<m-AB12@ente.example>",
		"MIME-Version":   "1.0",
		"Content-Type":   "text/plain; charset=UTF-8",
		"Auto-Submitted": "auto-generated",
	} {
		if got := m.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	sent, _ := words(message(civicpin.Email, email, "AB12"))
	want := sent.Body.Reveal()
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if got := strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n")); err != nil || got != strings.TrimSpace(want) {
		t.Errorf("body %q, %v; want %q", got, err, want)
	}
}

// TestMessageID: the id of a message that is sent again is the same; one that cannot stand in a header is replaced.
func TestMessageID(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	id := func(m civicpin.Message) string {
		raw, err := os.ReadFile(filepath.Join(folder, send(t, b, m)))
		if err != nil {
			t.Fatal(err)
		}
		mail, err := mail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		return mail.Header.Get("Message-ID")
	}
	m := message(civicpin.Email, email, "AB12")
	if a, b := id(m), id(m); a != b {
		t.Errorf("ids %s and %s", a, b)
	}
	for _, bad := range []string{"", "a b", "x>\r\nBcc: thief@example.org"} {
		m.ID = bad
		a, b := id(m), id(m)
		if a == b || !strings.HasSuffix(a, "@ente.example>") || strings.ContainsAny(a, " \r\n") || len(a) < 30 {
			t.Errorf("id %q became %q and %q", bad, a, b)
		}
	}
}

func TestNumbersGoOnAfterRestart(t *testing.T) {
	folder := t.TempDir()
	for i, want := range []string{"0001", "0002", "0003"} {
		got := send(t, open(t, folder), message(civicpin.SMS, phone, fmt.Sprint(i)))
		if !strings.HasPrefix(got, want+"-") {
			t.Errorf("%s, want number %s", got, want)
		}
	}
	// What a process left behind when it died is passed over, by the box and by the reader.
	if err := os.WriteFile(filepath.Join(folder, ".9998"), []byte("half a mess"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"9999", "10000", "10001"} {
		if got := send(t, open(t, folder), message(civicpin.SMS, phone, "n"+want)); !strings.HasPrefix(got, want+"-") {
			t.Errorf("%s, want number %s", got, want)
		}
	}
	all, err := post.Inbox(folder).All(phone)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, m := range all {
		n, _, _ := strings.Cut(m.File, "-")
		numbers = append(numbers, n)
	}
	if want := []string{"0001", "0002", "0003", "9999", "10000", "10001"}; !slices.Equal(numbers, want) {
		t.Errorf("read in the order %q, want %q", numbers, want)
	}
}

// TestManyAtOnce has several boxes, as several processes would, deliver into one folder.
func TestManyAtOnce(t *testing.T) {
	folder := t.TempDir()
	const boxes, each = 4, 25
	var wg sync.WaitGroup
	receipts := make(chan string, boxes*each)
	for i := range boxes {
		b := open(t, folder)
		wg.Go(func() {
			for j := range each {
				m := message(civicpin.SMS, phone, fmt.Sprintf("c%d-%d", i, j))
				receipt, err := b.Notify(t.Context(), m)
				if err != nil {
					t.Error(err)
				}
				receipts <- receipt
			}
		})
	}
	wg.Wait()
	close(receipts)
	numbers := make(map[string]bool)
	for r := range receipts {
		n, _, _ := strings.Cut(r, "-")
		numbers[n] = true
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(numbers) != boxes*each || len(entries) != boxes*each {
		t.Errorf("%d messages gave %d numbers and %d files", boxes*each, len(numbers), len(entries))
	}
	all, err := post.Inbox(folder).All(phone)
	if err != nil || len(all) != boxes*each {
		t.Errorf("%d of them arrived, %v", len(all), err)
	}
	texts := make(map[string]bool)
	for _, m := range all {
		texts[m.Text] = true
	}
	if len(texts) != boxes*each {
		t.Errorf("%d texts differ, want %d", len(texts), boxes*each)
	}
}

func TestFail(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	try := func(c civicpin.Channel, address string) error {
		_, err := b.Notify(t.Context(), message(c, address, "AB12"))
		return err
	}
	b.Fail("Maria@Example.org", post.ErrMailboxFull)
	if err := try(civicpin.Email, email); !errors.Is(err, post.ErrMailboxFull) || errors.Is(err, civicpin.ErrUndeliverable) {
		t.Errorf("mailbox full: %v", err)
	}
	if err := try(civicpin.SMS, phone); err != nil {
		t.Errorf("another address: %v", err)
	}
	b.Fail(email, post.ErrNoSuchAddress)
	if err := try(civicpin.Email, email); !errors.Is(err, civicpin.ErrUndeliverable) {
		t.Errorf("no such address: %v", err)
	}
	if _, err := post.Inbox(folder).Last(email); !errors.Is(err, post.ErrNothing) {
		t.Errorf("something came: %v", err)
	}
	b.Fail(email, nil)
	if err := try(civicpin.Email, "MARIA@example.org"); err != nil {
		t.Errorf("healed: %v", err)
	}
	if _, err := post.Inbox(folder).Last(email); err != nil {
		t.Errorf("healed: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	unworded := message(civicpin.SMS, phone, "AB12")
	unworded.Kind = "unworded"
	for name, c := range map[string]struct {
		ctx   context.Context
		m     civicpin.Message
		final bool
	}{
		"unknown channel":         {t.Context(), message("pigeon", "roof", "AB12"), true},
		"address without channel": {t.Context(), message(civicpin.SMS, "333 1234567", "AB12"), true},
		"no address":              {t.Context(), message(civicpin.Email, "", "AB12"), true},
		"no words":                {t.Context(), unworded, true},
		"done context":            {cancelled, message(civicpin.SMS, phone, "AB12"), false},
	} {
		receipt, err := b.Notify(c.ctx, c.m)
		if err == nil || receipt != "" || errors.Is(err, civicpin.ErrUndeliverable) != c.final {
			t.Errorf("%s: receipt %q, error %v; want final: %v", name, receipt, err, c.final)
		}
		if err != nil && strings.Contains(err.Error(), "AB12") {
			t.Errorf("%s: the error holds the code: %v", name, err)
		}
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("refusals left %v", entries)
	}
	for name, opts := range map[string]post.Options{"sender": {Words: words}, "wording": {From: mail.Address{Address: "a@b.example"}}} {
		if _, err := post.Open(t.TempDir(), opts); err == nil {
			t.Errorf("opens without a %s", name)
		}
	}
}

// TestDeliveryThatFails: a disk that takes no more is a failure that passes, and leaves nothing that is half written.
func TestDeliveryThatFails(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "gone")
	b := open(t, folder)
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Notify(t.Context(), message(civicpin.SMS, phone, "AB12")); err == nil || errors.Is(err, civicpin.ErrUndeliverable) {
		t.Errorf("error %v", err)
	}
	if _, err := post.Inbox(folder).Last(phone); err == nil || errors.Is(err, post.ErrNothing) {
		t.Errorf("a folder that is not there reads as an empty one: %v", err)
	}
}

// TestCode has the citizen find the code in the real texts.
func TestCode(t *testing.T) {
	folder := t.TempDir()
	writer, err := texts.New(texts.Service{Name: "INPS", LongName: "Istituto di Prova", Help: "1234"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := post.Open(folder, post.Options{From: mail.Address{Address: "pin@ente.example"}, Words: writer.Render})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "es", "it"} {
		for channel, address := range map[civicpin.Channel]string{
			civicpin.SMS: phone, civicpin.Email: email, civicpin.CertifiedEmail: "maria@pec.example",
			post.CitizenCertifiedEmail: "maria@cec.example", civicpin.Letter: "ROMA", civicpin.HandedOver: "", civicpin.Push: "app-1",
		} {
			for code, parts := range map[string]int{"K7PM2QRD": 2, "K7P": 0, "123456": 1} {
				m := message(channel, address, code)
				m.Kind, m.To.Locale, m.Part, m.Parts, m.ExpiresAt = pin.PartMessage, lang, min(parts, 1), parts, noon
				send(t, b, m)
				got, err := post.Inbox(folder).Last(address)
				if err != nil {
					t.Fatal(err)
				}
				if strings.ReplaceAll(got.Code(), " ", "") != code {
					t.Errorf("%s, %s: code %q, want %q, in\n%s", lang, channel, got.Code(), code, got.Text)
				}
			}
			without := message(channel, address, "")
			without.ID, without.Kind, without.To.Locale = "none", pin.NoticeRevoked, lang
			send(t, b, without)
			if got, err := post.Inbox(folder).Last(address); err != nil || got.Code() != "" {
				t.Errorf("%s, %s: code %q, %v, in\n%s", lang, channel, got.Code(), err, got.Text)
			}
		}
	}
}

// TestLink has the citizen follow the link in the real e-mails, and find none elsewhere.
func TestLink(t *testing.T) {
	const token = "Zq3-_.~4vXw7tYb2Nc5mKd8fGh1jLp6rZq3-_.~4vXw7tYb2Nc5mKd8fGh1jLp6r" // longer than a line of quoted-printable
	writer, err := texts.New(texts.Service{Name: "INPS", Page: "https://portal.example/recover"})
	if err != nil {
		t.Fatal(err)
	}
	var folder string
	last := func(m civicpin.Message) post.Mail {
		t.Helper()
		b, err := post.Open(folder, post.Options{From: mail.Address{Address: "pin@ente.example"}, Words: writer.Render})
		if err != nil {
			t.Fatal(err)
		}
		m.ID = "m"
		send(t, b, m)
		got, err := post.Inbox(folder).Last(m.To.Address)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, lang := range []string{"en", "es", "it"} {
		for channel, address := range map[civicpin.Channel]string{
			civicpin.SMS: phone, civicpin.Email: email, civicpin.CertifiedEmail: "maria@pec.example",
			post.CitizenCertifiedEmail: "maria@cec.example", civicpin.Letter: "ROMA", civicpin.HandedOver: "", civicpin.Push: "app-1",
		} {
			folder = t.TempDir() // each read goes through all that came
			want := ""
			if strings.Contains(address, "@") {
				want = token
			}
			for _, kind := range []civicpin.MessageKind{recovery.LinkMessage, recovery.ActivateMessage, recovery.UnlockMessage, contact.ProofMessage} {
				for _, code := range []string{"K7PM2QRD", "K7PM2", "123456"} {
					m := message(channel, address, code)
					m.Kind, m.To.Locale, m.Link, m.ExpiresAt = kind, lang, civicpin.NewSecret(token), noon
					got := last(m)
					if got.Link() != want || strings.ReplaceAll(got.Code(), " ", "") != code {
						t.Errorf("%s, %s, %s: link %q, code %q, in\n%s", kind, lang, channel, got.Link(), got.Code(), got.Text)
					}
					m.Link = civicpin.Secret{}
					if got := last(m); got.Link() != "" || got.Code() == "" {
						t.Errorf("%s, %s, %s: link %q, code %q, in\n%s", kind, lang, channel, got.Link(), got.Code(), got.Text)
					}
				}
			}
			for _, kind := range []civicpin.MessageKind{
				recovery.NoticeWaiting, recovery.NoticeDone, recovery.NoticeUnlocked, contact.NoticeChanged,
			} {
				m := message(channel, address, "")
				m.Kind, m.To.Locale, m.Link, m.ExpiresAt = kind, lang, civicpin.NewSecret(token), noon
				if got := last(m); got.Link() != want || got.Code() != "" {
					t.Errorf("%s, %s, %s: link %q, code %q, in\n%s", kind, lang, channel, got.Link(), got.Code(), got.Text)
				}
			}
		}
	}
}

// FuzzAddress: whatever an address holds, its mail is one file in the folder, found by that address and by no other.
func FuzzAddress(f *testing.F) {
	long := strings.Repeat("é", 200)
	for _, a := range []string{"app-1", "a/b", "..", "%2F", "à%", long, strings.Repeat("x", 500), "a b", "handed-over", "\u202e"} {
		f.Add(a, a+"x")
	}
	f.Fuzz(func(t *testing.T, address, other string) {
		m := message(civicpin.Push, address, "AB12")
		if m.To.Validate() != nil {
			return
		}
		folder := t.TempDir()
		receipt := send(t, open(t, folder), m)
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 1 || entries[0].Name() != receipt {
			t.Fatalf("%q: %v, %v", address, entries, err)
		}
		if _, err := post.Inbox(folder).Last(address); err != nil {
			t.Fatalf("%q: %v", address, err)
		}
		if _, err := post.Inbox(folder).Last(other); err == nil && !strings.EqualFold(address, other) {
			t.Fatalf("mail for %q is found by %q", address, other)
		}
	})
}
