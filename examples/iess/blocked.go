package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// blocked is what three misses come to: only an agency unlocks.
func (t *tale) blocked(ctx context.Context) error {
	t.Step("Three misses, and an agency")
	if err := t.Later(day); err != nil {
		return err
	}
	v, err := t.visit(ctx, forgotten, t.lucia)
	if err != nil {
		return err
	}
	err = t.whoYouAre(ctx, v, t.lucia.mind.wrong())
	if err := untilUnlocked(err, "the third miss"); err != nil {
		return err
	}
	t.says("That was the third miss. Come to an agency with your cédula.")
	t.Say("Now she remembers, but the page no longer looks at it:")
	err = t.whoYouAre(ctx, v, t.lucia.mind)
	if err := untilUnlocked(err, "a right answer after the third miss"); err != nil {
		return err
	}
	t.refuses(err)

	t.Say("At the agency she shows her cédula. A video operator could not do this; a clerk can.")
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "cédula " + string(luciaID), By: clerk.ID}
	err = t.rec.Unlock(ctx, forgotten, t.lucia.subject, seen, operator)
	if err := play.Wanted(err, recovery.ErrStaff, "an unlock by a video operator"); err != nil {
		return err
	}
	if err := t.rec.Unlock(ctx, forgotten, t.lucia.subject, seen, clerk); err != nil {
		return err
	}
	return t.recover(ctx, t.lucia, "siete llamas en el páramo")
}
