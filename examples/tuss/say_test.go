package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

func TestEveryRuleHasItsWords(t *testing.T) {
	t.Parallel()
	playtest.Rules(t, newStage(t).Page,
		"length", "characters", "common", "repeated", "sequence", "date", "personal", "issued", "same", "history")
}

func TestExplain(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)
	_, noNIF := ident.ParseNIF("12345678A")
	playtest.Explains(t, newStage(t).Page, map[error]string{
		&lockout.RefusedError{Left: 3}:                                "Tries left: 3",
		&lockout.LockedError{Until: until}:                            "Thursday, 2 July 2026, 00:30",
		&lockout.LockedError{Scope: lockout.ScopeSends, Until: until}: "So many messages",
		&lockout.LockedError{}:                                        "still works",
		&lockout.LockedError{Disabled: true}:                          "an office",
		&pin.ExpiredError{Since: state.SinceIssue}:                    "new activation code",
		&pin.ChoiceError{Rule: "date"}:                                "A date",
		fmt.Errorf("page: %w", known):                                 "that you have",
		noNIF:                                                         "DNI or NIE",
		recovery.ErrExpired:                                           "too old",
		recovery.ErrGone:                                              "nowhere",
		pin.ErrNoGrant:                                                "nowhere",

		pin.ErrWrongState: "", recovery.ErrWrongStep: "", &recovery.OperatorError{Reason: "role"}: "",
	})
}

// TestWords: the program's own words are those of paper, in each language, and their code is found.
func TestWords(t *testing.T) {
	t.Parallel()
	bodies := playtest.Words(t, newPlay(), "ABCD 2345 EFGH",
		civicpin.Contact{Channel: civicpin.Letter, Address: "Omar\nCalle del Pez 4\n28004 Madrid"},
		civicpin.Contact{Channel: civicpin.HandedOver},
	)
	for name, body := range bodies {
		for line := range strings.Lines(body) {
			if n := len([]rune(strings.TrimSpace(line))); n > 76 {
				t.Errorf("%s: a line of %d: %q", name, n, line)
			}
		}
	}
	bySMS := civicpin.Message{Kind: pin.PartMessage, To: civicpin.Contact{Channel: civicpin.SMS, Locale: "es"}}
	if _, ok := activationWords(bySMS, time.UTC); ok {
		t.Error("words for a text message")
	}
}
