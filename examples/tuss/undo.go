package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// undo has an attacker at Nuria's unlocked computer put their own telephone in the place of hers, and her repudiate that.
func (t *tale) undo(ctx context.Context) error {
	t.Step("Somebody else changes her telephone")
	old := t.nuria.mobile
	t.Say("Nuria is at the coffee machine, and her page is open. Somebody gives a telephone of theirs.")
	theirs := t.sms("+34699887766")
	if err := t.replace(ctx, t.nuria, t.sms(old), theirs, strangerSource); err != nil {
		return err
	}
	prove := func(typed string) error {
		return t.contacts.ProveCode(ctx, t.nuria.subject(), civicpin.NewSecret(typed), strangerSource)
	}
	again := func() error { return t.replace(ctx, t.nuria, t.sms(old), theirs, strangerSource) }
	if err := t.typed(ctx, theirs.Address, prove, again); err != nil {
		return err
	}
	t.nuria.mobile = old
	if err := t.told(ctx, old); err != nil {
		return err
	}
	notice, err := t.Read("Nuria", t.nuria.email)
	if err != nil {
		return err
	}
	link := civicpin.NewSecret(notice.Link())
	if look, err := t.rec.Inspect(ctx, link); err != nil || look.Purpose != recovery.ToUndo {
		return errors.Join(err, errors.New("no link that undoes it"))
	}
	if err := t.rec.Repudiate(ctx, link, t.nuria.source); err != nil {
		return err
	}
	t.Says("Your contacts are as they were. Whoever did this was logged in: your password is stopped. Come to an office.")
	if err := t.told(ctx, theirs.Address, old); err != nil {
		return err
	}
	if _, has, err := t.contact(ctx, t.nuria, t.sms(old)); err != nil || !has {
		return errors.Join(err, errors.New("the old telephone did not come back"))
	}
	if _, has, err := t.contact(ctx, t.nuria, theirs); err != nil || has {
		return errors.Join(err, errors.New("the thief's telephone stayed"))
	}
	err = t.rec.Repudiate(ctx, link, t.nuria.source)
	if err := play.Wanted(err, recovery.ErrGone, "a link that was used"); err != nil {
		return err
	}
	return t.refused(ctx, t.nuria, t.nuria.password)
}
