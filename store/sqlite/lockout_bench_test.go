package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/storetest"
)

// guessGate returns a gate over a store.
func guessGate(s store.Store) (*lockout.Gate, error) {
	vault, err := store.OpenVault(context.Background(), s, testkit.Keys(), nil)
	if err != nil {
		return nil, err
	}
	return lockout.New(vault, "login", lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
}

// BenchmarkGuess is what a guess costs on a file whose every write is durable.
func BenchmarkGuess(b *testing.B) {
	for name, job := range map[string]struct {
		verify  func(context.Context) (bool, error)
		locked  bool
		allowed func(error) bool
	}{
		"right": {
			verify:  func(context.Context) (bool, error) { return true, nil },
			allowed: func(err error) bool { return err == nil },
		},
		"wrong": {
			verify:  func(context.Context) (bool, error) { return false, nil },
			allowed: func(err error) bool { return errors.Is(err, lockout.ErrRefused) },
		},
		"locked": {
			verify: func(context.Context) (bool, error) { return true, nil }, locked: true,
			allowed: func(err error) bool { _, ok := errors.AsType[*lockout.LockedError](err); return ok },
		},
	} {
		b.Run(name, func(b *testing.B) {
			s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "pins.db"))
			require.NoError(b, err)
			defer s.Close()
			faults := storetest.NewFaults(s)
			gate, err := guessGate(faults.Store())
			require.NoError(b, err)
			if job.locked {
				require.NoError(b, gate.Lock(b.Context(), lockout.Target{Subject: "CITIZEN 0"}, civicpin.Operator("1")))
			}
			before, i := faults.Calls(), 0
			for b.Loop() {
				if !job.locked {
					i++
				}
				err := gate.Do(b.Context(), lockout.Target{Subject: civicpin.Subject(fmt.Sprint("CITIZEN ", i))}, job.verify)
				require.True(b, job.allowed(err), "%v", err)
			}
			b.ReportMetric(float64(faults.Calls()-before)/float64(b.N), "calls/op")
		})
	}
}
