package main

import (
	"context"

	"github.com/civicpin/civicpin"
)

// change gives Nuria another password, for the asking: who is logged in proves the old one once more.
func (t *tale) change(ctx context.Context) error {
	t.Step("Nuria changes her password")
	current := t.nuria.password
	err := t.choose(t.nuria, []string{current, nuriasSecond}, func(chosen civicpin.Secret) error {
		_, err := t.pins.Change(ctx, t.nuria.attempt(current), chosen)
		return err
	})
	if err != nil {
		return err
	}
	t.Say("The old one:")
	if err := t.refused(ctx, t.nuria, current); err != nil {
		return err
	}
	return t.enter(ctx, t.nuria, tuss)
}
