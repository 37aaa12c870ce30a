package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
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
	case "role":
		return "Your role does not do this."
	case "hours":
		return fmt.Sprintf("The office is closed. It opens on %s.", t.local(e.Until))
	case "limit":
		return fmt.Sprintf("Too many cases in an hour. Go on at %s.", t.local(e.Until))
	case "same person":
		return "Somebody else of your desk has to look at it, too."
	}
	return "Not now."
}

// badPassword words the rule that a chosen password breaks.
func badPassword(rule string) string {
	switch rule {
	case "length":
		return "15 to 64 characters, please. A sentence is easy to keep in mind."
	case "characters":
		return "There is something in it that no keyboard has."
	case "repeated":
		return "Too few different characters, or the same ones over and over."
	case "sequence":
		return "A sequence is guessed first."
	case "date":
		return "A date is guessed first."
	case "common":
		return "This is one of the passwords that are guessed first."
	case "personal":
		return "This has a piece of your name, cédula or address in it."
	case "issued":
		return "This is a piece of the code that we gave you."
	case "same":
		return "This is the password that you have."
	case "history":
		return "This is a password that you have, or had."
	}
	return "Not this one, please."
}

// badAnswer words the rule that an answer breaks which somebody wants to enrol.
func badAnswer(rule string) string {
	switch rule {
	case "length":
		return "A word or two, please."
	case "same":
		return "You gave this answer to another question, too."
	case "question":
		return "That is in the question."
	case "personal":
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
