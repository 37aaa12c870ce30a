package pin_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// A thousand wrong guesses at once, limit 5: five are compared. Those that were told that it is busy come again.
func TestOnlyFiveAreCompared(t *testing.T) {
	for name, subject := range map[string]civicpin.Subject{"known": maria, "unknown": "NOBODY"} {
		t.Run(name, func(t *testing.T) {
			m := store.NewMemory()
			k := newKitOn(t, m, pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			k.exchanged(t)
			others := []*kit{k, k.other(t, m), k.other(t, m), k.other(t, m)}
			before := int64(0)
			for _, o := range others {
				before += pin.Hashes(o.Service)
			}
			var locked atomic.Int64
			var wg sync.WaitGroup
			for i := range 1000 {
				wg.Go(func() {
					for {
						a := try(wrong)
						a.Subject = subject
						_, err := others[i%4].Verify(t.Context(), a)
						if errors.Is(err, pin.ErrBusy) {
							time.Sleep(rand.N(20 * time.Millisecond)) // spinning, they would keep those inside from getting on
							continue
						}
						if errors.As(err, new(*lockout.LockedError)) {
							locked.Add(1)
						} else if !errors.Is(err, pin.ErrRefused) {
							t.Error(err)
						}
						return
					}
				})
			}
			wg.Wait()
			compared := -before
			for _, o := range others {
				compared += pin.Hashes(o.Service)
			}
			require.EqualValues(t, 5, compared)
			require.EqualValues(t, 996, locked.Load(), "all but four, who were told how many are left")
		})
	}
}

// Refused for want of room, nobody loses a try.
func TestBusyCostsNoTry(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Permits, p.Hashing.Queue = 1, 1
	k := newKit(t, p)
	k.exchanged(t)
	release := pin.Occupy(k.Service, 2)
	for range 20 {
		_, err := k.Verify(t.Context(), try(wrong))
		require.ErrorIs(t, err, pin.ErrBusy)
		require.ErrorIs(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))), pin.ErrBusy)
		_, err = k.Issue(t.Context(), maria, inps())
		require.ErrorIs(t, err, pin.ErrBusy)
	}
	release()
	require.Zero(t, k.failures(t))
	_, right := k.works(t, chosen)
	require.True(t, right)
}

// Owners who log in while others do the same, and while their credential is managed, get in.
func TestParallelLogins(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				_, err := k.Verify(t.Context(), try(chosen))
				if err != nil && !errors.Is(err, pin.ErrBusy) {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			if err := k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.Video, By: clerk}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	require.Zero(t, k.failures(t))
}
