package otp

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/store"
)

// DrawCode makes a code as Request does.
func DrawCode(c *Codes) string { return c.draw() }

// NormaliseCode returns what was typed as Verify compares it.
func NormaliseCode(c *Codes, typed string) string { return c.normalise(typed) }

// PlainCodes returns all records of codes as they are before they are sealed.
func PlainCodes(ctx context.Context, c *Codes) (string, error) {
	var all strings.Builder
	for e, err := range c.records.All(ctx) {
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(e.Value)
		if err != nil {
			return "", err
		}
		all.WriteString(string(text))
	}
	return all.String(), nil
}

// Draw makes a code as Issue does.
func (b *Backup) Draw() string { return b.draw() }

// NewCheapBackup is NewBackup with hashes that cost next to nothing, which nobody may have otherwise: for tests that make
// thousands.
func NewCheapBackup(v *store.Vault, c BackupConfig) (*Backup, error) {
	return newBackup(v, c, password.Params{Memory: 8, Time: 1, Threads: 1})
}

// BackupHashes returns how many hashes have been run.
func BackupHashes(b *Backup) int64 { return b.hashing.Total() }

// OccupyBackup takes n places in front of the hashing until the returned function is called.
func OccupyBackup(b *Backup, n int) (release func()) {
	var leaves []func()
	for range n {
		leave, err := b.hashing.Enter(context.Background())
		if err != nil {
			panic(err)
		}
		leaves = append(leaves, leave)
	}
	return func() {
		for _, leave := range leaves {
			leave()
		}
	}
}

// PlainBackup returns all sets of backup codes as they are before they are sealed.
func PlainBackup(ctx context.Context, b *Backup) (string, error) {
	var all strings.Builder
	for e, err := range b.sets.All(ctx) {
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(e.Value)
		if err != nil {
			return "", err
		}
		all.WriteString(string(text))
	}
	return all.String(), nil
}

// SetBackupCost changes what the stored set of a subject says that its hashes cost.
func SetBackupCost(ctx context.Context, b *Backup, key store.Key, memory uint32) error {
	_, err := b.sets.Update(ctx, key, func(e *store.Entry[backupSet]) error {
		e.Value.Params.Memory = memory
		return nil
	})
	return err
}
