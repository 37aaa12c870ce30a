package main

import (
	"context"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// moved is how Lucía comes to a new address when she can no longer read at the old one; and what the person who still reads
// there can do about it.
func (t *tale) moved(ctx context.Context) error {
	t.Step("Her mailbox was at her old job: another address, after three days")
	old, other := t.lucia.email, "lucia@correo.example"
	if old == other { // from an earlier run
		other = "lucia.andrade@example.ec"
	}
	v, err := t.elsewhere(ctx, t.lucia, other)
	if err != nil {
		return err
	}
	t.rests(v)
	_, err = t.rec.Send(ctx, v.ticket, v.source)
	if err := play.Wanted(err, recovery.ErrWaiting, "a link before its time"); err != nil {
		return err
	}
	if err := t.Later(3*day + plan.NoticeTime); err != nil {
		return err
	}
	// Her browser still has the ticket. The link goes to the new address, and proves that she reads there.
	if v.Run, err = t.rec.Send(ctx, v.ticket, v.source); err != nil {
		return err
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	link, err := t.news(ctx, "Lucía", v.email, recovery.ToRecover)
	if err != nil {
		return err
	}
	grant, err := t.rec.Finish(ctx, link, v.source)
	if err != nil {
		return err
	}
	if err := t.choose(ctx, t.lucia, grant, "dos cóndores sobre Quito"); err != nil {
		return err
	}
	return t.objection(ctx, old)
}

// objection: at the old address a stranger reads that the key has a new password, and takes it for a theft. To be on the safe
// side that is believed, until an agency has seen who Lucía is.
func (t *tale) objection(ctx context.Context, old string) error {
	// Another e-mail tells of the change of contacts, with a link that undoes that alone.
	link, err := t.news(ctx, "Her former employer", old, recovery.ToRepudiate)
	if err != nil {
		return err
	}
	if err := t.notMe(ctx, link); err != nil {
		return err
	}
	typed, err := t.Ask("Lucía's password", t.lucia.password)
	if err != nil {
		return err
	}
	_, err = t.pins.Verify(ctx, t.lucia.attempt(typed))
	t.Refuses(err)
	if err := play.Wanted(err, pin.ErrRefused, "a key that was repudiated"); err != nil {
		return err
	}
	t.Say("She goes to an agency with her cédula. That password never comes back: the clerk issues another, and takes her address.")
	err = t.pins.Resume(ctx, t.lucia.subject, civicpin.Evidence{}, "cédula seen", clerk.ID)
	if err := play.Wanted(err, pin.ErrWrongState, "a key that was repudiated"); err != nil {
		return err
	}
	if err := t.slip(ctx, t.lucia, "cédula "+string(luciaID), "tres volcanes con nieve"); err != nil {
		return err
	}
	if err := t.newAddress(ctx, old); err != nil {
		return err
	}
	return t.login(ctx, t.lucia)
}

// newAddress has a clerk write down another address in the place of one. It counts when the link that goes there was used; and
// since staff have seen whose it is, it counts in full from then on.
func (t *tale) newAddress(ctx context.Context, old string) error {
	proved, _, err := t.contacts.List(ctx, t.lucia.subject)
	if err != nil {
		return err
	}
	for _, c := range proved {
		if c.Address == t.lucia.email { // nothing was corrected after all
			return nil
		}
		if c.Address != old {
			return fmt.Errorf("what was repudiated is still in force: %s", c.Masked())
		}
		if _, err := t.contacts.Change(ctx, t.lucia.subject, c.ID, t.contact(t.lucia.email), clerk.ID, operators); err != nil {
			return err
		}
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	link, err := t.news(ctx, "Lucía", t.lucia.email, recovery.ToProve)
	if err != nil {
		return err
	}
	return t.contacts.Prove(ctx, link, t.lucia.source)
}
