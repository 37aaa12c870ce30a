package otp

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// DrawCode makes a code as Request does.
func DrawCode(c *Codes) string { return c.draw() }

// NormaliseCode returns what was typed as Verify compares it.
func NormaliseCode(c *Codes, typed string) string { return c.normalise(typed) }

// PlainCodes returns all records of codes as they are before they are sealed.
func PlainCodes(ctx context.Context, c *Codes) (string, error) { return testkit.Plain(ctx, c.records) }

// SpoilTag changes the last bit of what a code is compared with.
func SpoilTag(ctx context.Context, c *Codes, key store.Key) error {
	_, err := c.records.Update(ctx, key, func(e *store.Entry[codeRecord]) error {
		e.Value.Tag[len(e.Value.Tag)-1] ^= 1
		return nil
	})
	return err
}

// DeliveryOf returns the codes as the outbox sees them.
func DeliveryOf(c *Codes) outbox.Owner { return (*codeDelivery)(c) }

// GateOfCodes returns the gate in front of the codes.
func GateOfCodes(c *Codes) *lockout.Gate { return c.gate }

// Draw makes a code as Issue does.
func (b *BackupCodes) Draw() string { return b.draw() }

// NewCheapBackup is NewBackupCodes with hashes that cost next to nothing, which nobody may have otherwise: for tests that make
// thousands.
func NewCheapBackup(v *store.Vault, c BackupPolicy, on ...Credentials) (*BackupCodes, error) {
	return newBackup(v, c, []password.Params{{Memory: 8, Time: 1, Threads: 1}}, on...)
}

// NewRaisedBackup is NewCheapBackup in a release that raised the cost.
func NewRaisedBackup(v *store.Vault, c BackupPolicy) (*BackupCodes, error) {
	return newBackup(v, c, []password.Params{{Memory: 16, Time: 1, Threads: 1}, {Memory: 8, Time: 1, Threads: 1}})
}

// BackupHashes returns how many hashes have been run.
func BackupHashes(b *BackupCodes) int64 { return b.hashing.Total() }

// OccupyBackup takes n places in front of the hashing until the returned function is called.
func OccupyBackup(b *BackupCodes, n int) (release func()) { return testkit.Occupy(b.hashing, n) }

// PlainBackup returns all sets of backup codes as they are before they are sealed.
func PlainBackup(ctx context.Context, b *BackupCodes) (string, error) {
	return testkit.Plain(ctx, b.sets)
}

// SetBackupCost changes what the stored set of a subject says that its hashes cost.
func SetBackupCost(ctx context.Context, b *BackupCodes, key store.Key, memory uint32) error {
	_, err := b.sets.Update(ctx, key, func(e *store.Entry[backupSet]) error {
		e.Value.Params.Memory = memory
		return nil
	})
	return err
}

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
	err := k.common().prove(ctx, subject, civicpin.Source{}, eventVerified, func(_ context.Context, b *boundKey, _ time.Time) found {
		if b.Algorithm != k.common().policy.algorithm || b.Digits != k.common().policy.digits || len(b.Seed) == 0 {
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
