package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// anew takes what earlier runs have left of a citizen out of the way: they have all erased that is stored about them, and
// begin like any other.
func (t *tale) anew(ctx context.Context, c *citizen) error {
	_, err := t.pins.Status(ctx, c.subject)
	if errors.Is(err, pin.ErrNoCredential) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Say("%s has a key from an earlier run, and has had all erased that is stored about them.", c.name)
	if err := t.pins.Revoke(ctx, c.subject, state.Ended, "to be erased", clerk.ID); err != nil {
		return err
	}
	return errors.Join(t.erase(ctx, c.subject), t.Later(8*day)) // an address gets so many messages a day and no more
}

// erase walks through the store until nothing is left of a subject.
func (t *tale) erase(ctx context.Context, subject civicpin.Subject) error {
	for {
		walk, err := t.Vault.Erase(ctx, subject, store.Pass{})
		if err != nil || walk.End && walk.Changed == 0 && walk.Missed == 0 {
			return err
		}
	}
}
