package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// explain words an error for the citizen; empty if it is not for them.
func (t *tale) explain(err error) string {
	if r, ok := errors.AsType[refusal](err); ok {
		return string(r)
	}
	if e, ok := errors.AsType[*ident.Error](err); ok {
		return fmt.Sprintf("This is no codice fiscale: %s.", e.Problem)
	}
	if e, ok := errors.AsType[*pin.ChoiceError](err); ok {
		return choice(e.Rule)
	}
	if e, ok := errors.AsType[*lockout.RefusedError](err); ok {
		return fmt.Sprintf("Codice fiscale or PIN wrong. Tries left: %d.", e.Left)
	}
	if e, ok := errors.AsType[*pin.ExpiredError](err); ok {
		return expired(e.Since)
	}
	if e, ok := errors.AsType[*lockout.LockedError](err); ok {
		if e.Disabled {
			return "Too many wrong PINs: this one is disabled. Come to an office with your identity card."
		}
		return fmt.Sprintf("Too many times. Try again on %s.", t.at(e.Until))
	}
	switch {
	case errors.Is(err, recovery.ErrExpired):
		return "This link is too old. Please begin again."
	case errors.Is(err, recovery.ErrGone):
		return "This leads nowhere any more. Please begin again."
	case errors.Is(err, pin.ErrBusy):
		return "Just a moment, and try again."
	case errors.Is(err, phone.ErrFormat):
		return "This is not written like a telephone number."
	case errors.Is(err, phone.ErrNumber):
		return "There is no such telephone number."
	}
	return ""
}

// choice words the rule that a chosen PIN breaks.
func choice(broken rule.Rule) string {
	switch broken {
	case rule.Length:
		return "A PIN has 8 letters or digits, no more and no fewer."
	case rule.Characters:
		return "A PIN has letters from A to Z and digits only."
	case rule.Repeated:
		return "Too few different characters, or the same ones over and over."
	case rule.Sequence:
		return "A sequence is guessed first."
	case rule.Date:
		return "A date is guessed first."
	case rule.Common:
		return "This is one of the PINs that are guessed first."
	case rule.Personal:
		return "This has a piece of your name, codice fiscale, birth date or contacts in it."
	case rule.Issued:
		return "This is a piece of the PIN that we sent you."
	case rule.Same:
		return "This is the PIN that you have."
	}
	return "Not this one, please."
}

// expired words since when a PIN is no longer good.
func expired(since state.Expiry) string {
	switch since {
	case state.SinceChange:
		return "Right, but your PIN is three months old. Change it, and go on."
	case state.SinceUse:
		return "Right, but not used for six months. You need a new PIN, on line or at an office."
	}
	return "Right, but too late. Ask for a new PIN."
}

// levelName is INPS's word for a level of assurance.
func levelName(l civicpin.Level) string {
	if l >= civicpin.Substantial {
		return "dispositivo"
	}
	return "ordinario"
}

// channelName is how people call a channel.
func channelName(c civicpin.Channel) string {
	switch c {
	case civicpin.SMS:
		return "SMS"
	case civicpin.Email:
		return "e-mail"
	case civicpin.CertifiedEmail:
		return "PEC"
	case post.CitizenCertifiedEmail:
		return "PEC cittadino"
	case civicpin.HandedOver:
		return "slip"
	case civicpin.Letter:
		return "letter"
	}
	return string(c)
}

// masked shows a contact to its owner. The library knows what to hide of the channels that it names.
func masked(c civicpin.Contact) string {
	if c.Channel == post.CitizenCertifiedEmail {
		c.Channel = civicpin.CertifiedEmail
	}
	return c.Masked()
}

// excerpt leaves of a page what is set apart, and the paragraph below the last of it: address, code, validity.
func excerpt(page string) string {
	var kept []string
	paragraphs := strings.Split(page, "\n\n")
	for i, p := range paragraphs {
		if strings.HasPrefix(p, "    ") || i > 2 && strings.HasPrefix(paragraphs[i-1], "    ") {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n") + "\n..."
}

// beginning leaves of a mail its first paragraphs.
func beginning(text string, paragraphs int) string {
	all := strings.Split(text, "\n\n")
	return strings.Join(all[:min(paragraphs, len(all))], "\n\n") + "\n..."
}

// at writes a time as it is in Rome.
func (t *tale) at(when time.Time) string { return when.In(t.rome).Format("2 January 2006 at 15:04") }

// parts prints how far the halves of a citizen's PIN have come, as an operator sees it.
func (t *tale) parts(ctx context.Context, c citizen) error {
	st, err := t.pins.Status(ctx, c.subject())
	if err != nil {
		return err
	}
	var states []string
	for i, p := range st.Parts {
		states = append(states, fmt.Sprintf("half %d by %s %s", i+1, channelName(p.Contact.Channel), p.State))
	}
	t.Say("Operators see: %s.", strings.Join(states, ", "))
	return nil
}
