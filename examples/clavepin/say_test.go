package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/texts"
)

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&lockout.RefusedError{Left: 1}, ""},
		{nil, "it was accepted"},
		{play.ErrNoAnswer, "it: " + play.ErrNoAnswer.Error()},
	} {
		got := play.Wanted(c.err, otp.ErrRefused, "it")
		if (got == nil) != (c.want == "") || got != nil && got.Error() != c.want {
			t.Errorf("%v: %v, want %q", c.err, got, c.want)
		}
	}
}

func TestExplain(t *testing.T) {
	s := newStage(t)
	until := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		err  error
		want string
	}{
		{&lockout.RefusedError{Left: 3}, "Tries left: 3"},
		{&lockout.LockedError{Until: until}, "on 2 July 2026 at 00:30"},
		{&lockout.LockedError{Disabled: true}, "registered anew"},
		{otp.ErrExpired, "ten minutes"},
		{&pin.ExpiredError{Since: state.SinceIssue}, "new activation code"},
		{fmt.Errorf("page: %w", taken), "somebody else"},
		{otp.ErrBusy, "Just a moment"},
		{phone.ErrFormat, "telephone number"},
		{phone.ErrNumber, "no such telephone"},
	} {
		if got := s.explain(c.err); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	for _, err := range []error{errors.New("disk full"), pin.ErrWrongState, civicpin.ErrInvalid, play.ErrNoAnswer, errUsedUp} {
		if got := s.explain(err); got != "" {
			t.Errorf("a citizen is told of %v: %q", err, got)
		}
	}
	for level, want := range map[civicpin.Level]string{
		civicpin.NoLevel: "none", civicpin.Low: "basic", civicpin.Substantial: "advanced", civicpin.High: "advanced",
	} {
		if got := levelName(level); got != want {
			t.Errorf("%v is %q", level, got)
		}
	}
}

// TestWords: the program's own words fit a telephone, and their code is found.
func TestWords(t *testing.T) {
	s := newStage(t)
	words := activationWords(s.madrid)
	m := civicpin.Message{Kind: pin.PartMessage, Secret: civicpin.NewSecret("ABCD2345EFGH6789"), ExpiresAt: s.Clock.Now()}
	seen := make(map[string]bool)
	for _, lang := range []string{"es", "en", "it"} {
		for _, to := range []civicpin.Contact{
			{Channel: civicpin.SMS, Address: "+34612345678"},
			{Channel: civicpin.Letter, Address: "Luis\nCalle Mayor 7\n28013 Madrid"},
			{Channel: civicpin.HandedOver},
		} {
			m.To = to
			m.To.Locale = lang
			text, ok := words(m)
			body := text.Body.Reveal()
			if !ok || seen[body] || strings.Contains(body, "%!") || strings.Contains(text.Subject, "ABCD") {
				t.Errorf("%s by %s: %q", lang, to.Channel, body)
			}
			seen[body] = true
			if got := (post.Mail{Channel: to.Channel, Text: strings.TrimSpace(body)}).Code(); got != "ABCD 2345 EFGH 6789" {
				t.Errorf("%s by %s: code %q", lang, to.Channel, got)
			}
			if to.Channel == civicpin.SMS && len(body) > 160 {
				t.Errorf("%d bytes: %q", len(body), body)
			}
		}
	}
	for _, other := range []civicpin.Message{
		{Kind: otp.CodeMessage, To: m.To, Secret: m.Secret},
		{Kind: pin.PartMessage, To: civicpin.Contact{Channel: civicpin.SMS, Locale: "fr"}},
	} {
		if _, ok := words(other); ok {
			t.Errorf("words for %+v", other)
		}
	}
}

// TestDeeds: the words fit the messages of package texts, in each language.
func TestDeeds(t *testing.T) {
	c := &citizen{person: person{NIF: "12345678Z"}}
	seen := make(map[string]bool)
	for _, d := range []deed{workingLife(c), taxReturn(c, "0"), bankAccount(c, "ES00"), changePhone(c, "+34600000000")} {
		digest := string(d.purpose().Digest)
		if seen[d.act] || seen[digest] || len(digest) != 32 || d.needs == 0 || !strings.Contains(d.paper, "12345678Z") {
			t.Errorf("%+v", d)
		}
		seen[d.act], seen[digest] = true, true
		for _, lang := range []string{"es", "en", "it"} {
			w, err := texts.New(texts.Service{Name: "Cl@ve", Locale: lang})
			if err != nil {
				t.Fatal(err)
			}
			text, err := w.Render(civicpin.Message{
				Kind: otp.CodeMessage, To: civicpin.Contact{Channel: civicpin.SMS, Address: "+34612345678", Locale: lang},
				Secret: civicpin.NewSecret("K7P"), Params: map[string]string{"act": d.words[lang]},
			})
			if err != nil || d.words[lang] == "" {
				t.Errorf("%s in %s: %q, %v", d.act, lang, text.Body.Reveal(), err)
			}
		}
	}
}
