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
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
)

func TestEveryRuleHasItsWords(t *testing.T) {
	said := make(map[string]string)
	for _, broken := range []rule.Rule{
		rule.Length, rule.Characters, rule.Common, rule.Repeated, rule.Sequence, rule.Date, rule.Personal, rule.Issued, rule.Same,
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
	for _, since := range []state.Expiry{state.SinceIssue, state.SinceChange, state.SinceUse} {
		text := expired(since)
		if other := said[text]; other != "" {
			t.Errorf("%s and %s are both %q", since, other, text)
		}
		said[text] = string(since)
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&pin.ExpiredError{Since: state.SinceUse}, ""},
		{nil, "it was accepted"},
		{play.ErrNoAnswer, "it: " + play.ErrNoAnswer.Error()},
	} {
		got := play.Wanted(c.err, pin.ErrExpired, "it")
		if (got == nil) != (c.want == "") || got != nil && (got.Error() != c.want) {
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
		{&lockout.LockedError{Disabled: true}, "identity card"},
		{&pin.ExpiredError{Since: state.SinceUse}, "six months"},
		{&pin.ChoiceError{Rule: "date"}, "A date"},
		{fmt.Errorf("page: %w", tooFew), "Two contacts"},
		{pin.ErrBusy, "Just a moment"},
		{phone.ErrFormat, "telephone number"},
		{phone.ErrNumber, "no such telephone"},
	} {
		if got := s.explain(c.err); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	for _, err := range []error{errors.New("disk full"), pin.ErrWrongState, civicpin.ErrInvalid} {
		if got := s.explain(err); got != "" {
			t.Errorf("a citizen is told of %v: %q", err, got)
		}
	}
}
