package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// benchGate returns a gate over Memory, and the store that counts its calls.
func benchGate(b *testing.B, p lockout.Policy) (*lockout.Gate, *storetest.Faults) {
	faults := storetest.NewFaults(store.NewMemory())
	return newGate(b, newVault(b, faults.Store(), nil, nil), p), faults
}

// reportCalls reports the store's calls for each guess.
func reportCalls(b *testing.B, faults *storetest.Faults, before int) {
	b.ReportMetric(float64(faults.Calls()-before)/float64(b.N), "calls/op")
}

func BenchmarkRight(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, gate.Do(b.Context(), key("CITIZEN"), right))
	}
	reportCalls(b, faults, 0)
}

// BenchmarkDevice: a right guess in a known device's lane, and one whose value is made up.
func BenchmarkDevice(b *testing.B) {
	for _, name := range []string{"known", "made up"} {
		b.Run(name, func(b *testing.B) {
			gate, faults := benchGate(b, threeDevices)
			k := showing("CITIZEN", remember(b, gate, "CITIZEN", ""))
			if name != "known" {
				k.Subject = "SOMEBODY ELSE"
			}
			before := faults.Calls()
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, gate.Do(b.Context(), k, right))
			}
			reportCalls(b, faults, before)
		})
	}
}

// BenchmarkRightParallel: many citizens at once, each on a record of their own.
func BenchmarkRightParallel(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	var workers atomic.Int32
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		worker := workers.Add(1)
		for i := 0; pb.Next(); i++ {
			k := key(civicpin.Subject(fmt.Sprint("CITIZEN ", worker, " ", i%10_000)))
			if err := gate.Do(context.Background(), k, right); err != nil {
				b.Error(err)
			}
		}
	})
	reportCalls(b, faults, 0)
}

// BenchmarkOneSubjectParallel: guesses at one subject at once, most of which are told that others are in flight.
func BenchmarkOneSubjectParallel(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := gate.Do(context.Background(), key("CITIZEN"), right); err != nil && !errors.Is(err, lockout.ErrBusy) {
				b.Error(err)
			}
		}
	})
	reportCalls(b, faults, 0)
}

// BenchmarkWrong: wrong guesses, each at another subject.
func BenchmarkWrong(b *testing.B) {
	for name, p := range map[string]lockout.Policy{
		"plain": {Limit: 5, Lock: lockout.UntilUnlocked},
		"with source and global limits": {
			Limit: 5, Lock: lockout.UntilUnlocked,
			Source: civicpin.Rate{Limit: 1_000_000, Window: hour}, Global: civicpin.Rate{Limit: 1_000_000, Window: second},
		},
	} {
		b.Run(name, func(b *testing.B) {
			gate, faults := benchGate(b, p)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				k := from(civicpin.Subject(fmt.Sprint("CITIZEN ", i)), fmt.Sprint("192.0.2.", i%250))
				require.ErrorIs(b, gate.Do(b.Context(), k, stranger), lockout.ErrRefused)
			}
			reportCalls(b, faults, 0)
		})
	}
}

// BenchmarkLocked: what a guess at a locked subject costs.
func BenchmarkLocked(b *testing.B) {
	gate, faults := benchGate(b, lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked})
	_ = gate.Do(b.Context(), key("CITIZEN"), wrong)
	before := faults.Calls()
	b.ReportAllocs()
	for b.Loop() {
		asLocked(b, gate.Do(b.Context(), key("CITIZEN"), right))
	}
	reportCalls(b, faults, before)
}
