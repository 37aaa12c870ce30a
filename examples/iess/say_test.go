package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

func TestExplain(t *testing.T) {
	s := newStage(t)
	until := time.Date(2026, 7, 1, 3, 30, 0, 0, time.UTC)
	const evening = "Tuesday, 30 June 2026, at 22:30"
	for _, c := range []struct {
		err  error
		want string
	}{
		{&ident.Error{What: "cédula", Problem: ident.Length}, "no cédula"},
		{&lockout.RefusedError{Left: 2}, "Tries left: 2"},
		{&lockout.LockedError{Until: until}, evening},
		{&lockout.LockedError{}, "until it is unlocked"},
		{&lockout.LockedError{Disabled: true}, "an agency"},
		{&recovery.OperatorError{Reason: recovery.WrongRole}, "Your role"},
		{&recovery.OperatorError{Reason: recovery.Closed, Until: until}, "opens on " + evening},
		{&recovery.OperatorError{Reason: recovery.OverLimit, Until: until}, evening},
		{&recovery.OperatorError{Reason: recovery.SamePerson}, "Somebody else"},
		{&recovery.AnswerError{Question: "toy", Rule: "same"}, questions["toy"] + " You gave"},
		{recovery.ErrExpired, "too late"},
		{&pin.ExpiredError{Since: state.SinceIssue}, "too late"},
		{recovery.ErrGone, "begin again"},
		{pin.ErrNoGrant, "begin again"},
		{recovery.ErrBusy, "Just a moment"},
		{fmt.Errorf("page: %w", notAlike), "not alike"},
	} {
		if got := s.explain(c.err); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	for _, err := range []error{errors.New("disk full"), recovery.ErrWrongStep, pin.ErrWrongState, civicpin.ErrInvalid, play.ErrNoAnswer} {
		if got := s.explain(err); got != "" {
			t.Errorf("a citizen is told of %v: %q", err, got)
		}
	}
}

// TestRules: each rule that a password or an answer can break has words of its own.
func TestRules(t *testing.T) {
	seen := make(map[string]string)
	for _, broken := range []rule.Rule{
		rule.Length, rule.Characters, rule.Repeated, rule.Sequence, rule.Date, rule.Common, rule.Personal, rule.Issued, rule.Same, rule.History, "",
	} {
		text := badPassword(broken)
		if before, twice := seen[text]; twice || text == "" {
			t.Errorf("%q for %q and %q", text, broken, before)
		}
		seen[text] = string(broken)
	}
	for _, broken := range []rule.Rule{rule.Length, rule.Characters, rule.Repeated, rule.Common, rule.Question, rule.Personal, rule.Same} {
		if badAnswer(broken) == "" {
			t.Errorf("nothing for %q", broken)
		}
	}
}
