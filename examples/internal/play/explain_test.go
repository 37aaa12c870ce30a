package play_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/civicpin/civicpin/pin/rule"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

var errOwn = errors.New("of this portal only")

// page is the page of a portal with some words of its own.
func page(t *testing.T) *play.Page {
	t.Helper()
	p := example(nil)
	p.Zone = "Europe/Madrid"
	return &play.Page{
		Stage: playtest.Open(t, p, start).Set, Name: "Agency", Dates: "2 January 2006 at 15:04",
		Wrong: "No.", Disabled: "Come to an office.",
		Rules: map[rule.Rule]string{rule.Length: "Longer.", rule.Date: "No dates."},
		Own: func(err error) string {
			if errors.Is(err, errOwn) || errors.Is(err, lockout.ErrBusy) {
				return "Own words."
			}
			return ""
		},
	}
}

func TestExplain(t *testing.T) {
	until := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)
	p := page(t)
	playtest.Explains(t, p, map[error]string{
		play.Refusal("Not so."):                             "Not so.",
		errors.Join(play.Refusal("Not so."), errOwn):        "Not so.",
		fmt.Errorf("page: %w", errOwn):                      "Own words.",
		otp.ErrBusy:                                         "Own words.",
		&ident.Error{What: "cédula", Problem: ident.Length}: "This is no cédula: wrong length.",
		&pin.ChoiceError{Rule: "length"}:                    "Longer.",
		&pin.ChoiceError{Rule: "date"}:                      "No dates.",
		&pin.ChoiceError{Rule: "sequence"}:                  "guessed first",
		&pin.ChoiceError{Rule: "?"}:                         "Not this one",
		&lockout.RefusedError{Left: 3}:                      "No. Tries left: 3.",
		&lockout.LockedError{Until: until}:                  "Try again on 2 July 2026 at 00:30.",
		&lockout.LockedError{}:                              "Come to an office.",
		&lockout.LockedError{Disabled: true, Until: until}:  "Come to an office.",
		phone.ErrFormat:                                     "not written like a telephone number",
		phone.ErrNumber:                                     "no such telephone number",
		errors.New("disk full"):                             "",
		play.ErrNoAnswer:                                    "",
		civicpin.ErrInvalid:                                 "",
	})
	p.Own, p.Locked = nil, "Wait."
	playtest.Explains(t, p, map[error]string{
		errOwn: "", pin.ErrBusy: "Just a moment", recovery.ErrBusy: "Just a moment", &lockout.LockedError{}: "Wait.",
	})
}

// TestWaitOut: a page waits for the end of a lock, to a full minute, refuses what can be worded, and returns all else.
func TestWaitOut(t *testing.T) {
	p := page(t)
	require.NoError(t, p.WaitOut(&lockout.LockedError{Until: start.Add(90 * time.Second)}))
	require.Equal(t, start.Add(2*time.Minute), p.Clock.Now())
	require.NoError(t, p.WaitOut(&lockout.LockedError{Until: start}), "a lock that has ended")
	require.Equal(t, start.Add(2*time.Minute), p.Clock.Now())
	forever := &lockout.LockedError{Disabled: true}
	require.ErrorIs(t, p.WaitOut(forever), error(forever))
	require.NoError(t, p.WaitOut(errOwn))
	require.ErrorIs(t, p.WaitOut(play.ErrNoAnswer), play.ErrNoAnswer)

	tries := 0
	err := p.Patiently(func() error {
		if tries++; tries < 3 {
			return &lockout.LockedError{Until: p.Clock.Now().Add(time.Minute)}
		}
		return errOwn
	})
	require.ErrorIs(t, err, errOwn)
	require.Equal(t, 3, tries)
	require.Equal(t, start.Add(4*time.Minute), p.Clock.Now())
	again := func() error { return &lockout.LockedError{Until: p.Clock.Now().Add(time.Minute)} }
	require.ErrorIs(t, p.Patiently(again), play.ErrAnswers)
}

// TestNext: eight in the morning is that of the agency, today or tomorrow.
func TestNext(t *testing.T) {
	p := page(t)
	madrid := p.Location
	require.Equal(t, time.Date(2026, 3, 9, 14, 0, 0, 0, madrid), p.Next(14))
	require.Equal(t, time.Date(2026, 3, 10, 13, 0, 0, 0, madrid), p.Next(13), "it is one o'clock now")
	require.Equal(t, "13:00", p.Hour(start))
}

func TestSheet(t *testing.T) {
	letter := civicpin.Contact{Channel: civicpin.Letter, Address: "Luis\nCalle Mayor 7"}
	sheet := play.Sheet("Agency", letter, "Your code", "ABCD")
	require.Equal(t, "Agency\n\n    Luis\n    Calle Mayor 7\n\nYour code\n\nABCD\n", sheet)
	require.Equal(t, "Agency\n\nABCD\n", play.Sheet("Agency", civicpin.Contact{Channel: civicpin.HandedOver}, "ABCD"))
	require.Equal(t, "ABCD 2345 E", play.Groups("ABCD2345E"))
	require.Equal(t, "ABCD", play.Groups("ABCD"))
}
