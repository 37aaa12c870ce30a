package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// moved is how Lucía comes to a new address when she can no longer read at the old one; and what whoever still reads there can
// do about it.
func (t *tale) moved(ctx context.Context) error {
	t.Step("Her mailbox was at her old job: another address, after three days")
	old := t.lucia.email
	v, err := t.visit(ctx, forgotten, t.lucia)
	if err != nil {
		return err
	}
	if err := t.whoYouAre(ctx, v, t.lucia.mind); err != nil {
		return err
	}
	if err := t.whereTo(ctx, v, "lucia@correo.example"); err != nil {
		return err
	}
	t.says("We have told the address that we know. If nobody objects, the link comes on %s.", t.local(v.Next.Waits))
	_, err = t.rec.Send(ctx, v.ticket, v.source)
	if err := play.Wanted(err, recovery.ErrWaiting, "a link before its time"); err != nil {
		return err
	}
	if err := t.Later(3 * day); err != nil {
		return err
	}
	if v.Run, err = t.rec.Send(ctx, v.ticket, v.source); err != nil {
		return err
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	m, err := t.news("Lucía", v.email)
	if err != nil {
		return err
	}
	grant, err := t.rec.Finish(ctx, civicpin.NewSecret(m.Link()), v.source)
	if err != nil {
		return err
	}
	if err := t.choose(ctx, t.lucia, grant, "dos cóndores sobre Quito"); err != nil {
		return err
	}
	return t.objection(ctx, old)
}

// objection: at the old address somebody reads that the key has a new password, and takes it for a theft. To be on the safe
// side that is believed, until an agency has seen who Lucía is.
func (t *tale) objection(ctx context.Context, old string) error {
	m, err := t.news("Her former employer", old)
	if err != nil {
		return err
	}
	if err := t.notMe(ctx, m.Link()); err != nil {
		return err
	}
	typed, err := t.Ask("Lucía's password", t.lucia.password)
	if err != nil {
		return err
	}
	_, err = t.pins.Verify(ctx, t.lucia.attempt(typed))
	t.refuses(err)
	if err := play.Wanted(err, pin.ErrRefused, "a key that was suspended"); err != nil {
		return err
	}
	t.Say("She goes to an agency with her cédula. The clerk lets the key go on.")
	if err := t.pins.Resume(ctx, t.lucia.subject, "cédula seen", clerk.ID); err != nil {
		return err
	}
	return t.login(ctx, t.lucia)
}
