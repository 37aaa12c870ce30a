package main

import (
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/recovery"
)

// ownError words the errors that are the portal's own, and those that it words otherwise than all portals.
func (t *tale) ownError(err error) string {
	e, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case locked && e.Scope == lockout.ScopeSends && !e.Until.IsZero():
		return fmt.Sprintf("So many messages and no more. Try again on %s.", t.Local(e.Until))
	case errors.Is(err, pin.ErrExpired):
		return "Right, but too late. Come for a new activation code."
	case errors.Is(err, recovery.ErrExpired):
		return "This link is too old. Please begin again."
	case errors.Is(err, recovery.ErrGone), errors.Is(err, pin.ErrNoGrant):
		return "This leads nowhere any more. Please begin again."
	}
	return ""
}

// rules are about the rules that a chosen password may break.
var rules = map[rule.Rule]string{
	rule.Length:     "A password has 15 characters or more. Three words that have nothing to do with each other will do.",
	rule.Characters: "There is a character in it that cannot be typed everywhere.",
	rule.Common:     "This is one of the passwords that are guessed first.",
	rule.Breached:   "This password is known from a breach of another site.",
	rule.Personal:   "This has a piece of your name, number, birth date or contacts in it.",
	rule.Issued:     "This is a piece of the code that you were given.",
	rule.Same:       "This is the password that you have.",
	rule.History:    "This is a password that you had before.",
}

// levelNames are what the agency's pages call the levels of assurance.
var levelNames = map[civicpin.Level]string{
	civicpin.NoLevel: "none", civicpin.Low: "basic", civicpin.Substantial: "advanced", civicpin.High: "advanced",
}
