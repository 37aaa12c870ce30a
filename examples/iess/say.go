package main

import (
	"errors"
	"fmt"

	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/recovery"
)

// ownError words the errors of answers and of staff, and those that the IESS words otherwise than all portals.
func (t *tale) ownError(err error) string {
	if e, ok := errors.AsType[*recovery.AnswerError](err); ok {
		return fmt.Sprintf("%s %s", questions[e.Question], badAnswer(e.Rule))
	}
	if e, ok := errors.AsType[*recovery.OperatorError](err); ok {
		return t.staffText(e)
	}
	switch {
	case errors.Is(err, recovery.ErrExpired), errors.Is(err, pin.ErrExpired):
		return "Right, but too late. Please begin again."
	case errors.Is(err, recovery.ErrGone), errors.Is(err, pin.ErrNoGrant):
		return "This leads nowhere, or no longer. Please begin again."
	}
	return ""
}

// staffText says to an operator why they are not allowed to do this.
func (t *tale) staffText(e *recovery.OperatorError) string {
	switch e.Reason {
	case recovery.WrongRole:
		return "Your role does not do this."
	case recovery.Closed:
		return fmt.Sprintf("The office is closed. It opens on %s.", t.Local(e.Until))
	case recovery.OverLimit:
		return fmt.Sprintf("Too many cases in an hour. Go on at %s.", t.Local(e.Until))
	case recovery.SamePerson:
		return "Somebody else of your desk has to look at it, too."
	}
	return "Not now."
}

// rules are about the rules that a chosen password may break.
var rules = map[rule.Rule]string{
	rule.Length:     "15 to 64 characters, please. A sentence is easy to keep in mind.",
	rule.Characters: "There is something in it that no keyboard has.",
	rule.Common:     "This is one of the passwords that are guessed first.",
	rule.Breached:   "This password is known from a breach of another site.",
	rule.Personal:   "This has a piece of your name, cédula or address in it.",
	rule.Issued:     "This is a piece of the code that we gave you.",
	rule.Same:       "This is the password that you have.",
	rule.History:    "This is a password that you have, or had.",
}

// badAnswer words the rule that an answer breaks when a citizen enrols it.
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
