package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

func TestEveryRuleHasItsWords(t *testing.T) {
	said := make(map[string]string)
	for _, broken := range []rule.Rule{
		rule.Length, rule.Characters, rule.Common, rule.Repeated, rule.Sequence, rule.Date, rule.Personal, rule.Issued, rule.Same, rule.History,
	} {
		text := choice(broken)
		if other := said[text]; other != "" {
			t.Errorf("%s and %s are both %q", broken, other, text)
		}
		said[text] = string(broken)
	}
	if text := choice("a rule of a later release"); text == "" || said[text] != "" {
		t.Errorf("a rule that is not known: %q", text)
	}
}

func TestExplain(t *testing.T) {
	s := newStage(t)
	until := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)
	_, noNIF := ident.ParseNIF("12345678A")
	for _, c := range []struct {
		err  error
		want string
	}{
		{&lockout.RefusedError{Left: 3}, "Tries left: 3"},
		{&lockout.LockedError{Until: until}, "Thursday, 2 July 2026, 00:30"},
		{&lockout.LockedError{Scope: lockout.ScopeSends, Until: until}, "So many messages"},
		{&lockout.LockedError{}, "still works"},
		{&lockout.LockedError{Disabled: true}, "an office"},
		{&pin.ExpiredError{Since: state.SinceIssue}, "new activation code"},
		{&pin.ChoiceError{Rule: "date"}, "A date"},
		{fmt.Errorf("page: %w", known), "that you have"},
		{noNIF, "DNI or NIE"},
		{recovery.ErrExpired, "too old"},
		{recovery.ErrGone, "nowhere"},
		{pin.ErrNoGrant, "nowhere"},
		{recovery.ErrBusy, "Just a moment"},
		{phone.ErrFormat, "telephone number"},
		{phone.ErrNumber, "no such telephone"},
	} {
		if got := s.explain(c.err); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	for _, err := range []error{
		errors.New("disk full"), pin.ErrWrongState, civicpin.ErrInvalid, recovery.ErrWrongStep, &recovery.OperatorError{Reason: recovery.WrongRole},
	} {
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

// TestWords: the program's own words are those of paper, in each language, and their code is found.
func TestWords(t *testing.T) {
	s := newStage(t)
	words := activationWords(s.madrid)
	m := civicpin.Message{Kind: pin.PartMessage, Secret: civicpin.NewSecret("ABCD2345EFGH"), ExpiresAt: s.Clock.Now()}
	seen := make(map[string]bool)
	for _, lang := range []string{"es", "en", "it"} {
		for _, to := range []civicpin.Contact{
			{Channel: civicpin.Letter, Address: "Omar\nCalle del Pez 4\n28004 Madrid"}, {Channel: civicpin.HandedOver},
		} {
			m.To = to
			m.To.Locale = lang
			text, ok := words(m)
			body := text.Body.Reveal()
			if !ok || seen[body] || strings.Contains(body, "%!") || strings.Contains(text.Subject, "ABCD") {
				t.Errorf("%s by %s: %q", lang, to.Channel, body)
			}
			seen[body] = true
			if got := (post.Mail{Channel: to.Channel, Text: strings.TrimSpace(body)}).Code(); got != "ABCD 2345 EFGH" {
				t.Errorf("%s by %s: code %q", lang, to.Channel, got)
			}
			for line := range strings.Lines(body) {
				if n := len([]rune(strings.TrimSpace(line))); n > 76 {
					t.Errorf("%s by %s: a line of %d: %q", lang, to.Channel, n, line)
				}
			}
		}
	}
	for _, other := range []civicpin.Message{
		{Kind: recovery.CodeMessage, To: m.To, Secret: m.Secret},
		{Kind: pin.PartMessage, To: civicpin.Contact{Channel: civicpin.HandedOver, Locale: "fr"}},
		{Kind: pin.PartMessage, To: civicpin.Contact{Channel: civicpin.SMS, Locale: "es"}},
	} {
		if _, ok := words(other); ok {
			t.Errorf("words for %+v", other)
		}
	}
}
