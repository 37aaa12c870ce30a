package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/recovery"
)

type refusal = play.Refusal

// explain words an error for the citizen; empty if it is not for them.
func (t *tale) explain(err error) string {
	if r, ok := errors.AsType[refusal](err); ok {
		return string(r)
	}
	if e, ok := errors.AsType[*ident.Error](err); ok {
		return fmt.Sprintf("This is no %s: %s.", e.What, e.Problem)
	}
	if e, ok := errors.AsType[*pin.ChoiceError](err); ok {
		return choice(e.Rule)
	}
	if e, ok := errors.AsType[*lockout.RefusedError](err); ok {
		return fmt.Sprintf("Something of this is wrong. Tries left: %d.", e.Left)
	}
	if e, ok := errors.AsType[*lockout.LockedError](err); ok {
		return t.locked(e)
	}
	switch {
	case errors.Is(err, pin.ErrExpired):
		return "Right, but too late. Come for a new activation code."
	case errors.Is(err, recovery.ErrExpired):
		return "This link is too old. Please begin again."
	case errors.Is(err, recovery.ErrGone), errors.Is(err, pin.ErrNoGrant):
		return "This leads nowhere any more. Please begin again."
	case errors.Is(err, lockout.ErrBusy):
		return "Just a moment, and try again."
	case errors.Is(err, phone.ErrFormat):
		return "This is not written like a telephone number."
	case errors.Is(err, phone.ErrNumber):
		return "There is no such telephone number."
	}
	return ""
}

// locked words a lock. It may be told to anybody: numbers that are nobody's lock alike.
func (t *tale) locked(e *lockout.LockedError) string {
	switch {
	case e.Disabled, e.Until.IsZero():
		return "Too many wrong tries: this is locked. \"I forgot my password\" still works, and so does an office."
	case e.Scope == lockout.ScopeSends:
		return fmt.Sprintf("So many messages and no more. Try again on %s.", t.local(e.Until))
	}
	return fmt.Sprintf("Too many times. Try again on %s.", t.local(e.Until))
}

// choice words the rule that a chosen password breaks.
func choice(broken rule.Rule) string {
	switch broken {
	case rule.Length:
		return "A password has 15 characters or more. Three words that have nothing to do with each other will do."
	case rule.Characters:
		return "There is a character in it that cannot be typed everywhere."
	case rule.Repeated:
		return "Too few different characters, or the same ones over and over."
	case rule.Sequence:
		return "A sequence is guessed first."
	case rule.Date:
		return "A date is guessed first."
	case rule.Common:
		return "This is one of the passwords that are guessed first."
	case rule.Personal:
		return "This has a piece of your name, number, birth date or contacts in it."
	case rule.Issued:
		return "This is a piece of the code that you were given."
	case rule.Same:
		return "This is the password that you have."
	case rule.History:
		return "This is a password that you had before."
	}
	return "Not this one, please."
}

// levelName is how the agency's pages call a level of assurance.
func levelName(l civicpin.Level) string {
	switch {
	case l >= civicpin.Substantial:
		return "advanced"
	case l == civicpin.Low:
		return "basic"
	}
	return "none"
}

// local writes a time as it is in Madrid.
func (t *tale) local(when time.Time) string {
	return when.In(t.madrid).Format("Monday, 2 January 2006, 15:04")
}
