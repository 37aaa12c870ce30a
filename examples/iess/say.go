package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/recovery"
)

type refusal = play.Refusal

// explain words an error for who is in front of the page; empty if it is not for them.
func (t *tale) explain(err error) string {
	if r, ok := errors.AsType[refusal](err); ok {
		return string(r)
	}
	if e, ok := errors.AsType[*ident.Error](err); ok {
		return fmt.Sprintf("This is no cédula: %s.", e.Problem)
	}
	if e, ok := errors.AsType[*pin.ChoiceError](err); ok {
		return badPassword(e.Rule)
	}
	if e, ok := errors.AsType[*recovery.AnswerError](err); ok {
		return fmt.Sprintf("%s %s", questions[e.Question], badAnswer(e.Rule))
	}
	if e, ok := errors.AsType[*lockout.RefusedError](err); ok {
		return fmt.Sprintf("Something of this is wrong. Tries left: %d.", e.Left)
	}
	if e, ok := errors.AsType[*lockout.LockedError](err); ok {
		return t.lockedText(e)
	}
	if e, ok := errors.AsType[*recovery.OperatorError](err); ok {
		return t.staffText(e)
	}
	switch {
	case errors.Is(err, recovery.ErrBusy):
		return "Just a moment, and try again."
	case errors.Is(err, recovery.ErrExpired), errors.Is(err, pin.ErrExpired):
		return "Right, but too late. Please begin again."
	case errors.Is(err, recovery.ErrGone), errors.Is(err, pin.ErrNoGrant):
		return "This leads nowhere, or no longer. Please begin again."
	}
	return ""
}

// lockedText says how a lock ends.
func (t *tale) lockedText(e *lockout.LockedError) string {
	switch {
	case e.Disabled:
		return "Too many wrong tries: only a new key helps. Come to an agency with your cédula."
	case e.Until.IsZero():
		return "Locked, until it is unlocked."
	}
	return fmt.Sprintf("Too many times. Try again on %s.", t.local(e.Until))
}

// staffText says to somebody of the staff why they cannot do this.
func (t *tale) staffText(e *recovery.OperatorError) string {
	switch e.Reason {
	case recovery.WrongRole:
		return "Your role does not do this."
	case recovery.Closed:
		return fmt.Sprintf("The office is closed. It opens on %s.", t.local(e.Until))
	case recovery.OverLimit:
		return fmt.Sprintf("Too many cases in an hour. Go on at %s.", t.local(e.Until))
	case recovery.SamePerson:
		return "Somebody else of your desk has to look at it, too."
	}
	return "Not now."
}

// badPassword words the rule that a chosen password breaks.
func badPassword(broken rule.Rule) string {
	switch broken {
	case rule.Length:
		return "15 to 64 characters, please. A sentence is easy to keep in mind."
	case rule.Characters:
		return "There is something in it that no keyboard has."
	case rule.Repeated:
		return "Too few different characters, or the same ones over and over."
	case rule.Sequence:
		return "A sequence is guessed first."
	case rule.Date:
		return "A date is guessed first."
	case rule.Common:
		return "This is one of the passwords that are guessed first."
	case rule.Personal:
		return "This has a piece of your name, cédula or address in it."
	case rule.Issued:
		return "This is a piece of the code that we gave you."
	case rule.Same:
		return "This is the password that you have."
	case rule.History:
		return "This is a password that you have, or had."
	}
	return "Not this one, please."
}

// badAnswer words the rule that an answer breaks which somebody wants to enrol.
func badAnswer(broken rule.Rule) string {
	switch broken {
	case rule.Length:
		return "A word or two, please."
	case rule.Same:
		return "You gave this answer to another question, too."
	case rule.Question:
		return "That is in the question."
	case rule.Personal:
		return "That is in your cédula."
	}
	return "That is guessed first." // characters, repeated, common
}

// local writes a time as it is in Ecuador.
func (t *tale) local(when time.Time) string {
	return when.In(t.ecuador).Format("Monday, 2 January 2006, at 15:04")
}

// hour is the time of the day in Ecuador.
func (t *tale) hour(when time.Time) string { return when.In(t.ecuador).Format("15:04") }
