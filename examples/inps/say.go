package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// ownError words the errors that are the INPS's own, and those that it words otherwise than all portals.
func ownError(err error) string {
	e, isExpired := errors.AsType[*pin.ExpiredError](err)
	switch {
	case isExpired:
		return expired(e.Since)
	case errors.Is(err, recovery.ErrExpired):
		return "This link is too old. Please begin again."
	case errors.Is(err, recovery.ErrGone):
		return "This leads nowhere any more. Please begin again."
	}
	return ""
}

// rules are about the rules that a chosen PIN may break.
var rules = map[rule.Rule]string{
	rule.Length:     "A PIN has 8 letters or digits, no more and no fewer.",
	rule.Characters: "A PIN has letters from A to Z and digits only.",
	rule.Common:     "This is one of the PINs that are guessed first.",
	rule.Breached:   "This PIN is known from a breach of another site.",
	rule.Personal:   "This has a piece of your name, codice fiscale, birth date or contacts in it.",
	rule.Issued:     "This is a piece of the PIN that we sent you.",
	rule.Same:       "This is the PIN that you have.",
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
