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
)

func TestEveryRuleHasItsWords(t *testing.T) {
	said := make(map[string]string)
	for _, rule := range []string{
		"length", "characters", "common", "repeated", "sequence", "date", "personal", "issued", "same",
	} {
		text := choice(rule)
		if other := said[text]; other != "" {
			t.Errorf("%s and %s are both %q", rule, other, text)
		}
		said[text] = rule
	}
	if text := choice("a rule of a later release"); text == "" || said[text] != "" {
		t.Errorf("a rule that is not known: %q", text)
	}
	for _, since := range []string{pin.SinceIssue, pin.SinceChange, pin.SinceUse} {
		text := expired(since)
		if other := said[text]; other != "" {
			t.Errorf("%s and %s are both %q", since, other, text)
		}
		said[text] = since
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&pin.ExpiredError{Since: pin.SinceUse}, ""},
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
		{&pin.ExpiredError{Since: pin.SinceUse}, "six months"},
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
