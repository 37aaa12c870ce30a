package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// codes has two activation codes come to nothing: one waits too long, one is typed wrong too often.
func (t *tale) codes(ctx context.Context) error {
	t.Step("Two activation codes that come to nothing")
	return play.InTurn(ctx, t.expired, t.fiveTimes)
}

// expired: Tomás lets the slip lie for a week.
func (t *tale) expired(ctx context.Context) error {
	if err := t.anew(ctx, t.tomas); err != nil {
		return err
	}
	slip, err := t.slip(ctx, t.tomas)
	if err != nil {
		return err
	}
	t.Say("Tomás is handed a slip, and puts it into a book.")
	if err := t.Later(7 * day); err != nil {
		return err
	}
	_, err = t.pins.Verify(ctx, t.tomas.attempt(slip.Code()))
	t.Refuses(err)
	if err := play.Wanted(err, pin.ErrExpired, "a code after its week"); err != nil {
		return err
	}
	t.Say("Only who has the right code is told so. To a wrong one:")
	_, err = t.pins.Verify(ctx, t.tomas.attempt("2222 3333 4444"))
	t.Refuses(err)
	return play.Wanted(err, pin.ErrRefused, "a wrong code")
}

// fiveTimes: Julia cannot read what she wrote down. Her card at a counter brings a new code, and an end to the lock.
func (t *tale) fiveTimes(ctx context.Context) error {
	if err := t.opening(); err != nil {
		return err
	}
	if err := t.anew(ctx, t.julia); err != nil {
		return err
	}
	first, err := t.slip(ctx, t.julia)
	if err != nil {
		return err
	}
	tries, err := t.guessAll(ctx, t.julia.subject(), slipped(first))
	if err != nil {
		return err
	}
	t.Say("Julia types hers wrong. Five tries: %s. Then what is right:", tries)
	_, err = t.pins.Verify(ctx, t.julia.attempt(first.Code()))
	t.Refuses(err)
	if _, ok := errors.AsType[*lockout.LockedError](err); !ok {
		return errors.Join(errors.New("five wrong codes did not lock"), err)
	}
	t.Say("She comes back with her card, and gets another one. The first is good for nothing.")
	slip, err := t.slip(ctx, t.julia)
	if err != nil {
		return err
	}
	if err := t.useCode(ctx, t.julia, juliasFirst, first.Code(), slip.Code()); err != nil {
		return err
	}
	return t.enter(ctx, t.julia, tuss)
}
