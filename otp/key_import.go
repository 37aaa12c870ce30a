package otp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/standard"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// Import binds a key that is in use already: another system's, or a hardware token's. The key is active at once, keeps its
// algorithm, digits and period, and starts at its counter. It ends a pending key, resets the failures and lifts a disablement.
// Importing a key again is no error as long as it is unused. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid, or by is no operator. If it is a *[KeyError], the key is; "secret" is also
//     a seed of less than 16 bytes (RFC 4226 section 4) without an exception, "type" a key of the other sort.
//   - [ErrInvalidPolicy]: the key's shorter codes are too easy to guess, and the policy has no exception for that.
//   - [ErrWrongState]: another key is active. Remove it first.
//   - the store's: the key may be bound. Import it again.
func (k *keys) Import(ctx context.Context, subject civicpin.Subject, key Key, by civicpin.Actor) error {
	if err := errors.Join(subject.Validate(), by.Validate(), k.checkImport(key)); err != nil {
		return err
	}
	if !by.IsOperator() {
		return fmt.Errorf("%w: keys are imported by operators", civicpin.ErrInvalid)
	}
	on, err := epochsOf(ctx, k.credentials, subject)
	if err != nil {
		return err
	}
	now := k.vault.Now()
	b := &boundKey{
		ID: rand.Text(), Seed: []byte(key.Seed.Reveal()), Algorithm: key.Algorithm, Digits: key.Digits,
		Period: int64(key.Period / time.Second), Next: key.Counter, Bound: now, By: by,
		AsBound: on.of(waits.Bound),
	}
	_, err = k.rings.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[keyring]) error {
		e.Value.sweep(on, now)
		if old := e.Value.Active; old != nil {
			if !old.sameUnused(b) {
				return ErrWrongState
			}
			b.ID = old.ID
		}
		e.Value, e.ExpiresAt = keyring{Active: b}, time.Time{}
		return nil
	})
	if err != nil {
		return err
	}
	if err := k.gate.Rebind(ctx, lockout.Target{Subject: subject}, by); err != nil {
		return err
	}
	k.record(ctx, civicpin.Event{Code: eventImported, Subject: subject, By: by}, b.ID)
	return nil
}

// checkImport checks a key against the configuration.
func (k *keys) checkImport(key Key) error {
	if err := key.check(); err != nil {
		return err
	}
	if (key.Period == 0) != (k.policy.period == 0) {
		return &KeyError{Part: "type"}
	}
	if len(key.Seed.Reveal()) < minSeed && !standard.Named(k.policy.exceptions, standard.KeyBits) {
		return &KeyError{Part: "secret"}
	}
	return k.policy.checkChance(key.Digits)
}

// sameUnused reports whether b was bound before and not used yet.
func (b *boundKey) sameUnused(again *boundKey) bool {
	return string(b.Seed) == string(again.Seed) && b.Algorithm == again.Algorithm && b.Digits == again.Digits &&
		b.Period == again.Period && b.Next == again.Next // every use moves Next
}
