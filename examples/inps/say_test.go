package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/civicpin/civicpin/pin/state"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

func TestEveryRuleHasItsWords(t *testing.T) {
	t.Parallel()
	playtest.Rules(t, newStage(t).Page, "length", "characters", "common", "repeated", "sequence", "date", "personal", "issued", "same")
	said := make(map[string]string)
	for _, since := range []state.Expiry{state.SinceIssue, state.SinceChange, state.SinceUse} {
		text := expired(since)
		if other := said[text]; other != "" {
			t.Errorf("%s and %s are both %q", since, other, text)
		}
		said[text] = string(since)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	playtest.Explains(t, newStage(t).Page, map[error]string{
		&lockout.RefusedError{Left: 3}:                                             "PIN wrong. Tries left: 3",
		&lockout.LockedError{Until: time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)}: "on 2 July 2026 at 00:30",
		&lockout.LockedError{Disabled: true}:                                       "identity card",
		&pin.ExpiredError{Since: state.SinceUse}:                                   "six months",
		&pin.ChoiceError{Rule: "date"}:                                             "A date",
		&pin.ChoiceError{Rule: "length"}:                                           "8 letters",
		fmt.Errorf("page: %w", tooFew):                                             "Two contacts",
		recovery.ErrExpired:                                                        "too old",
		recovery.ErrGone:                                                           "nowhere",
		pin.ErrWrongState:                                                          "",
	})
}
