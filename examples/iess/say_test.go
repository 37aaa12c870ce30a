package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 7, 1, 3, 30, 0, 0, time.UTC)
	const evening = "Tuesday, 30 June 2026, at 22:30"
	playtest.Explains(t, newStage(t).Page, map[error]string{
		&ident.Error{What: "cédula", Problem: ident.Length}:    "no cédula",
		&lockout.RefusedError{Left: 2}:                         "Tries left: 2",
		&lockout.LockedError{Until: until}:                     evening,
		&lockout.LockedError{}:                                 "until it is unlocked",
		&lockout.LockedError{Disabled: true}:                   "an agency",
		&recovery.OperatorError{Reason: "role"}:                "Your role",
		&recovery.OperatorError{Reason: "hours", Until: until}: "opens on " + evening,
		&recovery.OperatorError{Reason: "limit", Until: until}: evening,
		&recovery.OperatorError{Reason: "same person"}:         "Somebody else",
		&recovery.AnswerError{Question: "toy", Rule: "same"}:   questions["toy"] + " You gave",
		recovery.ErrExpired:                                    "too late",
		&pin.ExpiredError{Since: state.SinceIssue}:             "too late",
		recovery.ErrGone:                                       "begin again",
		pin.ErrNoGrant:                                         "begin again",
		fmt.Errorf("page: %w", notAlike):                       "not alike",

		recovery.ErrWrongStep: "", pin.ErrWrongState: "",
	})
}

// TestRules: each rule that a password or an answer can break has words of its own.
func TestRules(t *testing.T) {
	t.Parallel()
	playtest.Rules(t, newStage(t).Page,
		"length", "characters", "repeated", "sequence", "date", "common", "personal", "issued", "same", "history")
	for _, broken := range []rule.Rule{"length", "characters", "repeated", "common", "question", "personal", "same"} {
		if badAnswer(broken) == "" {
			t.Errorf("nothing for %q", broken)
		}
	}
}
