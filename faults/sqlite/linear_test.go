package sqlite_test

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/linear"
	"github.com/civicpin/civicpin/faults/remote"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

// TestRemote is not a test: it is what a process of the tests below does.
func TestRemote(t *testing.T) { remote.Serve(t, open) }

func TestLinear(t *testing.T) {
	config := func() linear.Config {
		long := kit.Pick(3*time.Second, time.Minute)
		if testing.Short() {
			long = time.Second
		}
		return linear.Config{
			Clients: kit.Pick(12, 36), For: long, Patience: 2 * time.Second,
			Think: kit.Pick(0, 100*time.Millisecond), // a longer history takes longer to judge than to make
		}
	}
	t.Run("several handles", func(t *testing.T) {
		path := newPath(t)
		var handles []store.Store
		for range 3 {
			s, err := sqlite.Open(t.Context(), path)
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			handles = append(handles, struct{ store.Store }{s})
		}
		c := config()
		c.Open = func(client int) (store.Store, error) { return handles[client%len(handles)], nil }
		require.Equal(t, porcupine.Ok, linear.Run(t, c).Verdict)
	})
	// Processes that are killed, or stand still while others wait for them or go on, perhaps with the write lock in hand.
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "frozen": syscall.SIGSTOP} {
		t.Run("processes "+name, func(t *testing.T) {
			path := newPath(t)
			var all []*remote.Store
			for range 4 {
				all = append(all, remote.New(t, path))
			}
			c := config()
			c.Open = func(client int) (store.Store, error) { return struct{ store.Store }{all[client%len(all)]}, nil }
			hits := 0
			c.Chaos = func(ctx context.Context) {
				for ctx.Err() == nil {
					time.Sleep(rand.N(kit.Pick(400*time.Millisecond, time.Second)))
					s := all[rand.IntN(len(all))]
					if sig == syscall.SIGKILL {
						if err := s.Kill(); err != nil {
							t.Error(err)
						}
					} else {
						s.Signal(syscall.SIGSTOP)
						// Longer than the clients' patience now and then, never as long as SQLite's.
						time.Sleep(rand.N(3 * time.Second))
						s.Signal(syscall.SIGCONT)
					}
					hits++
				}
			}
			r := linear.Run(t, c)
			require.Equal(t, porcupine.Ok, r.Verdict)
			require.Positive(t, hits)
			require.Positive(t, r.Done)
			if sig == syscall.SIGKILL {
				require.Positive(t, r.Unknown)
			}
		})
	}
}
