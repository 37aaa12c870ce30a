package play_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	maria = "maria@example.org"
	code  = "K7PM2QRD"
)

// letters owns one message to Maria until it is accepted.
type letters struct{ stage *play.Stage }

var ref = outbox.Ref{Owner: "letters", Subject: "maria", ID: "1"}

func (l *letters) Confirm(context.Context, outbox.Ref) (civicpin.Message, error) {
	return civicpin.Message{
		Kind:      pin.PartMessage,
		To:        civicpin.Contact{Channel: civicpin.Email, Address: maria, Locale: l.stage.Lang},
		Secret:    civicpin.NewSecret(code),
		ExpiresAt: l.stage.Clock.Now().Add(time.Hour),
	}, nil
}

func (l *letters) Settle(context.Context, outbox.Ref, outbox.Outcome) error { return nil }

// TestPost has a mailbox be full and, ten minutes later, not.
func TestPost(t *testing.T) {
	got, err := run(t, func(ctx context.Context, s *play.Stage) error {
		if err := s.Outbox.Register("letters", &letters{s}); err != nil {
			return err
		}
		s.Box.Fail(maria, post.ErrMailboxFull)
		r := outbox.Request{Subject: ref.Subject, Refs: []outbox.Ref{ref}}
		if err := s.Outbox.Announce(ctx, r, func(context.Context) error { return nil }); err != nil {
			return err
		}
		if err := s.Deliver(ctx); err != nil {
			return err
		}
		if _, err := s.Read("Maria", maria); !errors.Is(err, post.ErrNothing) {
			t.Errorf("reading an empty inbox: %v", err)
		}
		s.Box.Fail(maria, nil)
		if err := errors.Join(s.Deliver(ctx)); err != nil {
			return err
		}
		if _, err := s.Inbox.Last(maria); !errors.Is(err, post.ErrNothing) {
			t.Errorf("tried again at once: %v", err)
		}
		if err := errors.Join(s.Later(10*time.Minute), s.Deliver(ctx)); err != nil {
			return err
		}
		m, err := s.Read("Maria", maria)
		if err != nil {
			return err
		}
		if strings.ReplaceAll(m.Code(), " ", "") != code {
			t.Errorf("code %q, want %s", m.Code(), code)
		}
		raw, err := os.ReadFile(filepath.Join(string(s.Inbox), m.File))
		if err != nil {
			return err
		}
		for _, header := range []string{
			"Date: " + start.Add(10*time.Minute).Format(time.RFC1123Z), `From: "Agency of Samples" <pin@agency.example>`,
		} {
			if !strings.Contains(string(raw), header+"\r\n") {
				t.Errorf("no %q in\n%s", header, raw)
			}
		}
		return nil
	}, "", "-lang", "it", "-db", database(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"   Maria reads (0001-email-maria@example.org.eml):\n   | Agency: ",
		fmt.Sprintf("\n   |     %s %s\n", code[:4], code[4:]),
		"\n   | Agency of Samples\n",
		"9 marzo 2026", // in Italian, and by the stage's clock
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
