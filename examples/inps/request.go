package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
)

// request has Maria ask for a PIN on line. One of the gateways is down; one half gets lost; one comes back.
func (t *tale) request(ctx context.Context) error {
	to := t.maria.contacts[:2]
	t.Step("She asks for a PIN on line: half by %s, half by %s", channelName(to[0].Channel), channelName(to[1].Channel))
	st, err := t.pins.Status(ctx, t.maria.subject())
	if err == nil && t.Clock.Now().Sub(st.IssuedAt) < day {
		t.Say("She asked in an earlier run, and gets so many messages a day and no more.")
		if err := t.Later(day); err != nil {
			return err
		}
	}
	t.Box.Fail(to[1].Address, post.ErrMailboxFull)
	if _, err := t.issue(ctx, t.maria, pin.IssueOptions{Parts: to, By: civicpin.Citizen}); err != nil {
		return err
	}
	m, err := t.Read("Maria", to[0].Address)
	if err != nil {
		return err
	}
	t.halves[0] = m.Code()
	t.Say("The other half waits in the outbox: her mailbox is full at this moment.")
	if err := t.parts(ctx, t.maria); err != nil {
		return err
	}
	t.Box.Fail(to[1].Address, nil)
	if err := t.Later(time.Minute); err != nil {
		return err
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	if m, err = t.Read("Maria", to[1].Address); err != nil {
		return err
	}
	t.halves[1] = m.Code()
	if err := t.notReceived(ctx); err != nil {
		return err
	}
	return t.reports(ctx)
}

// issue asks the library for a new PIN and has its halves sent. What an earlier run may have left in the database it gets
// out of the way first, as the agency's staff would.
func (t *tale) issue(ctx context.Context, c citizen, o pin.IssueOptions) (pin.Issue, error) {
	o.Source = c.source
	st, err := t.pins.Status(ctx, c.subject())
	if err == nil && st.Lockout.Locked != nil && st.Lockout.Locked.Disabled {
		t.Say("%s's PIN was disabled. A clerk has seen the identity card, which makes a new one good.", c.name)
		if o.Evidence.Method == "" {
			o.Evidence = civicpin.Evidence{Method: civicpin.InPerson, Document: "carta d'identità", By: clerk}
		}
	}
	if err == nil && o.Evidence.Method == "" && o.By == civicpin.Citizen && elsewhere(&st, o.Parts) {
		t.Say("A PIN of an earlier run is on its way to other contacts, and would come there again: an office revokes it.")
		if o.RequestCode, err = t.renew(ctx, c, "asked for with other contacts"); err != nil {
			return pin.Issue{}, err
		}
	}
	is, err := t.pins.Issue(ctx, c.subject(), o)
	if errors.Is(err, pin.ErrWrongState) {
		t.Say("%s has a PIN from an earlier run, and no longer knows it: an office revokes it.", c.name)
		if o.RequestCode, err = t.renew(ctx, c, "forgotten"); err != nil {
			return pin.Issue{}, err
		}
		is, err = t.pins.Issue(ctx, c.subject(), o)
	}
	if err != nil {
		return pin.Issue{}, err
	}
	return is, t.Deliver(ctx)
}

// elsewhere reports whether a PIN that is still good for its first login went to other contacts.
func elsewhere(st *pin.Status, to []civicpin.Contact) bool {
	return st.State == state.Provisional && st.Expired == "" &&
		!slices.EqualFunc(st.Parts, to, func(p pin.Part, c civicpin.Contact) bool {
			return p.Contact.Channel == c.Channel && p.Contact.SameAddress(c)
		})
}

// renew revokes a PIN, and prints a code with which the citizen may ask for another one on line.
func (t *tale) renew(ctx context.Context, c citizen, reason string) (civicpin.Secret, error) {
	if err := t.pins.Revoke(ctx, c.subject(), state.Ended, reason, clerk); err != nil {
		return civicpin.Secret{}, err
	}
	return t.pins.RequestCode(ctx, c.subject(), clerk)
}

// notReceived is the page "I did not receive it", which any visitor can reach.
func (t *tale) notReceived(ctx context.Context) error {
	if err := t.pins.Resend(ctx, t.maria.subject(), 0, t.maria.source); err != nil {
		return err
	}
	m, err := t.Delivered(ctx, t.maria.contacts[0].Address)
	if err != nil {
		return err
	}
	if m.Code() != t.halves[0] {
		return errors.New("another half came")
	}
	t.Say("Maria deleted the first half, asks for it again, and gets the same: %s (%s).", m.Code(), m.File)
	// The page says the same to everybody, whether there was anything to be sent or not.
	if err := t.pins.Resend(ctx, nobody(), 0, civicpin.Source{}); err != nil {
		return err
	}
	t.Say("For a codice fiscale that is not registered the page says the same, and sends nothing.")
	return nil
}

// reports feeds back what the gateways learn later: one half was delivered, the other one bounced.
func (t *tale) reports(ctx context.Context) error {
	st, err := t.pins.Status(ctx, t.maria.subject())
	if err != nil {
		return err
	}
	err = errors.Join(
		t.pins.Receipt(ctx, st.Parts[0].Receipt, state.Delivered),
		t.pins.Receipt(ctx, st.Parts[1].Receipt, state.Failed))
	if err != nil {
		return err
	}
	t.Say("Then the gateways report that the first half arrived, and that the second bounced.")
	if err := t.parts(ctx, t.maria); err != nil {
		return err
	}
	if err := t.pins.Resend(ctx, t.maria.subject(), 1, t.maria.source); err != nil {
		return err
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	t.Say("The half that bounced is sent once more.")
	return nil
}

// nobody returns a codice fiscale that is valid and, as far as this story goes, unknown.
func nobody() civicpin.Subject {
	for {
		// One in 26 has the right letter at its end.
		cf, err := ident.ParseCodiceFiscale(fmt.Sprintf("NSSNSS00A01Z%03d%c", rand.IntN(1000), 'A'+rand.IntN(26)))
		if err == nil {
			return civicpin.Subject(cf)
		}
	}
}
