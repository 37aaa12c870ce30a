package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/storetest"
)

// benchValue is as long as a sealed lockout record.
var benchValue = bytes.Repeat([]byte("x"), 300)

// filled returns a store of many keys.
func filled(b *testing.B, keys int) (s store.Store, key func(i int) string) {
	s = open(b, newPath(b))
	key = func(i int) string { return fmt.Sprintf("bench/%06d", i%keys) }
	for i := range keys {
		_, err := s.Put(b.Context(), key(i), store.Record{Value: benchValue})
		require.NoError(b, err)
	}
	return s, key
}

func BenchmarkGet(b *testing.B) {
	s, key := filled(b, 1000)
	b.Run("one", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			if _, err := s.Get(b.Context(), key(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		var n atomic.Int64
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Get(b.Context(), key(int(n.Add(1)))); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkCreate(b *testing.B) {
	var n atomic.Int64
	b.Run("one", func(b *testing.B) {
		s := open(b, newPath(b))
		for b.Loop() {
			if _, err := s.Put(b.Context(), fmt.Sprintf("bench/%d", n.Add(1)), store.Record{Value: benchValue}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		s := open(b, newPath(b))
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Put(b.Context(), fmt.Sprintf("bench/%d", n.Add(1)), store.Record{Value: benchValue}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkSwap reads a record and replaces it, again if somebody else was first: what every decision of the library costs.
func BenchmarkSwap(b *testing.B) {
	for _, c := range []struct {
		name string
		keys int
	}{{"one key", 1}, {"many keys", 1000}} {
		s, key := filled(b, c.keys)
		swap := func(i int) error {
			for {
				r, err := s.Get(b.Context(), key(i))
				if err != nil {
					return err
				}
				if _, err = s.Put(b.Context(), key(i), r); !errors.Is(err, store.ErrConflict) {
					return err
				}
			}
		}
		b.Run(c.name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				if err := swap(i); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+" parallel", func(b *testing.B) {
			var n atomic.Int64
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := swap(int(n.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkList(b *testing.B) {
	s, _ := filled(b, 1000)
	for b.Loop() {
		n := 0
		for _, err := range s.(store.Lister).List(b.Context(), "", "") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 1000 {
			b.Fatal(n)
		}
	}
}

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

func auditVault(b *testing.B) *store.Vault {
	v, err := store.OpenVault(b.Context(), open(b, newPath(b)), testkit.Keys(), nil)
	require.NoError(b, err)
	return v
}

// BenchmarkAudit records events from many goroutines at once: how many events a second the log takes on a disk.
func BenchmarkAudit(b *testing.B) {
	for _, chains := range []int{1, 4} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("chains=%d/callers=%d", chains, callers), func(b *testing.B) {
				l, err := audit.New(auditVault(b), audit.Config{
					Chains: chains,
					Failed: func(_ context.Context, _ civicpin.Event, err error) { b.Error(err) },
				})
				require.NoError(b, err)
				var n atomic.Int64
				b.SetParallelism(max(1, callers/2)) // of two processors
				record := func() {
					subject := civicpin.Subject(fmt.Sprint(n.Add(1) % 1000))
					l.Record(b.Context(), civicpin.Event{Code: "pin.verified", Subject: subject})
				}
				if callers == 1 {
					for b.Loop() {
						record()
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							record()
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
