package otp

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// A Keys is a TOTP or a HOTP.
type Keys interface{ common() *keys }

func (k *keys) common() *keys { return k }

// PlainKeys returns all records of a service as they are before they are sealed.
func PlainKeys(ctx context.Context, k Keys) (string, error) {
	return testkit.Plain(ctx, k.common().rings)
}

// Comparisons returns with how many keys one attempt is compared.
func Comparisons(ctx context.Context, k Keys, subject civicpin.Subject) (int, error) {
	n := 0
	err := k.common().prove(ctx, subject, civicpin.Source{}, eventVerified, func(b *boundKey, _ time.Time) found {
		if b.Algorithm != k.common().config.algorithm || b.Digits != k.common().config.digits || len(b.Seed) == 0 {
			panic("not the work of a key of this configuration")
		}
		n++
		return found{}
	})
	return n, err
}

// SetDrift writes a drift into the active key's record, as a configuration that bore more would have.
func SetDrift(ctx context.Context, k Keys, subject civicpin.Subject, steps int64) error {
	_, err := k.common().rings.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[keyring]) error {
		e.Value.Active.Drift = steps
		return nil
	})
	return err
}

// Spoil changes the active key's record to what no release has stored so far.
func Spoil(ctx context.Context, k Keys, subject civicpin.Subject, algorithm Algorithm, digits int, period int64) error {
	_, err := k.common().rings.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[keyring]) error {
		e.Value.Active.Algorithm, e.Value.Active.Digits, e.Value.Active.Period = algorithm, digits, period
		return nil
	})
	return err
}

// GateOf returns the gate of a service.
func GateOf(k Keys) *lockout.Gate { return k.common().gate }
