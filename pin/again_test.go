package pin_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// A double click sends the same choice twice. Both requests are told of the one success, and nobody is charged a try.
func TestChoosingTwice(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, withDevices())
			old := c.prepare(t, k)
			first, err := c.call(t, k, old, changed)
			require.NoError(t, err)
			stored := k.plain(t)
			k.events.Take()
			k.clock.Add(10*time.Minute - 1)
			again, err := c.call(t, k, strings.ToLower(old), "hj4n-8rtx")
			require.NoError(t, err)
			require.Equal(t, first.Epoch, again.Epoch, "the sessions of both are good")
			require.Equal(t, visible(first), visible(again))
			require.Zero(t, again.LastLoginAt)
			require.Equal(t, stored, k.plain(t), "nothing is written")
			require.Zero(t, k.failures(t))
			_, err = k.RememberDevice(t.Context(), again)
			require.NoError(t, err)

			events := k.events.Of("pin.verified")
			require.Len(t, events, 1)
			require.Equal(t, "again", events[0].Reason)
			for _, code := range []civicpin.EventCode{"pin.exchanged", "pin.changed", "pin.recovered"} {
				require.Empty(t, k.events.Of(code))
			}
		})
	}
}

// The second request succeeds for the same choice only, and for as long as the first one's secret is the current and a good
// one.
func TestNotTheSameTwice(t *testing.T) {
	for _, c := range choices {
		for name, tt := range map[string]struct {
			between func(t *testing.T, k *kit)
			choice  string
		}{
			"another choice": {func(*testing.T, *kit) {}, "MN6B3VCX"},
			"late":           {func(_ *testing.T, k *kit) { k.clock.Add(10 * time.Minute) }, changed},
			"a clock behind": {func(_ *testing.T, k *kit) { k.clock.Add(-10 * time.Minute) }, changed},
			"changed since": {func(t *testing.T, k *kit) {
				require.NoError(t, testkit.Err(k.Change(t.Context(), try(changed), civicpin.NewSecret("TR5W9PLK"))))
			}, changed},
			"recovered since": {func(t *testing.T, k *kit) {
				require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret("TR5W9PLK"))))
			}, changed},
			"suspended": {func(t *testing.T, k *kit) { require.NoError(t, k.Suspend(t.Context(), maria, "", clerk)) }, changed},
			"revoked":   {func(t *testing.T, k *kit) { require.NoError(t, k.Revoke(t.Context(), maria, "", clerk)) }, changed},
			"issued anew": {func(t *testing.T, k *kit) {
				require.NoError(t, k.Revoke(t.Context(), maria, "", clerk))
				k.issued(t)
			}, changed},
		} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				k := newKit(t, pin.INPS())
				old := c.prepare(t, k)
				_, err := c.call(t, k, old, changed)
				require.NoError(t, err)
				tt.between(t, k)
				ok, err := c.call(t, k, old, tt.choice)
				require.Zero(t, ok)
				if c.name == "set" {
					require.ErrorIs(t, err, pin.ErrNoGrant)
					require.Zero(t, k.failures(t))
					return
				}
				require.ErrorIs(t, err, pin.ErrRefused)
				require.Equal(t, 1, k.failures(t), "it is a guess like others")
			})
		}
	}
}

// A thief who knows the replaced secret, or has the used grant, guesses at the current one with that no faster than without.
// One who knows the current secret alone learns nothing about the replaced one.
func TestTwiceIsNoOracle(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			old := c.prepare(t, k)
			_, err := c.call(t, k, old, changed)
			require.NoError(t, err)
			before := pin.Hashes(k.Service)
			compared := 0
			for i := range 50 {
				_, err := c.call(t, k, old, choiceOf(i))
				require.Error(t, err)
				require.NotErrorIs(t, err, pin.ErrUnfitSecret)
				if errors.Is(err, pin.ErrRefused) || errors.Is(err, pin.ErrNoGrant) {
					compared++
				}
			}
			require.Equal(t, 4, compared, "the fifth locks")
			most := int64(10) // two hashes each
			if c.name == "set" {
				most = 5
			}
			require.Equal(t, most, pin.Hashes(k.Service)-before)
			_, err = c.call(t, k, old, changed)
			require.ErrorAs(t, err, new(*lockout.LockedError), "also the right one")
		})
	}
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))))
	for _, guess := range []string{wrong + wrong, code[:8], ""} {
		require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(guess), civicpin.NewSecret(chosen))), pin.ErrRefused)
	}
	require.Equal(t, 3, k.failures(t))
}

// Any number of equal requests at once, in two processes, succeed, and there is one change.
func TestManyAtOnce(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			m := store.NewMemory()
			p := pin.INPS()
			p.Hashing.Queue = 1000
			k := newKitOn(t, m, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			old := c.prepare(t, k)
			other := k.other(t, m)
			var mu sync.Mutex
			epochs := make(map[pin.Epoch]int)
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					for {
						ok, err := c.call(t, []*kit{k, other}[i%2], old, changed)
						if errors.Is(err, pin.ErrBusy) {
							time.Sleep(rand.N(5 * time.Millisecond))
							continue
						}
						if err != nil {
							t.Error(err)
						}
						mu.Lock()
						epochs[ok.Epoch]++
						mu.Unlock()
						return
					}
				})
			}
			wg.Wait()
			require.Equal(t, map[pin.Epoch]int{k.epoch(t, maria): 64}, epochs)
			require.Zero(t, k.failures(t))
			changes := 0
			for _, code := range []civicpin.EventCode{"pin.exchanged", "pin.changed", "pin.recovered"} {
				changes += len(k.events.Of(code))
			}
			if c.name != "exchange" {
				changes-- // the exchange before
			}
			require.Equal(t, 1, changes)
		})
	}
}

// Of two requests of which one writes between the other's proof and write, the second one succeeds if it makes the same choice.
// If not, it fails, and is counted like any guess at the secret of now.
func TestOvertaken(t *testing.T) {
	for _, c := range choices {
		for _, same := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				m := store.NewMemory()
				faults := storetest.NewFaults(m)
				k := newKitOn(t, faults.Store(), pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				old := c.prepare(t, k)
				other, choice := k.other(t, m), changed
				if !same {
					choice = "MN6B3VCX"
				}
				overtaken := false
				faults.Hook(func(method, key string) error {
					if method == storetest.Put && strings.HasPrefix(key, "pin.inps/") && !overtaken {
						overtaken = true
						require.NoError(t, testkit.Err(c.call(t, other, old, choice)))
					}
					return nil
				})
				ok, err := c.call(t, k, old, changed)
				require.True(t, overtaken)
				_, right := k.works(t, choice)
				require.True(t, right, "one winner")
				switch {
				case same:
					require.NoError(t, err)
					require.Equal(t, k.epoch(t, maria), ok.Epoch)
				case c.name == "set":
					require.ErrorIs(t, err, pin.ErrNoGrant)
				default:
					require.ErrorIs(t, err, pin.ErrChanged)
					require.Len(t, k.events.Of("pin.refused"), 1)
				}
			})
		}
	}
}

// A Set that died after its write, and is sent again, also does what it had left to do.
func TestSetTwiceForgetsWhatTheFirstDidNot(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := newKitOn(t, faults.Store(), withDevices(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.exchanged(t)
	k.remembered(t, "")
	for range 4 {
		require.ErrorIs(t, testkit.Err(k.Verify(t.Context(), try(wrong))), pin.ErrRefused)
	}
	g, written := k.granted(t), false
	faults.Hook(func(method, key string) error {
		written = written || method == storetest.Put && strings.HasPrefix(key, "pin.inps/")
		if written && !strings.HasPrefix(key, "pin.inps/") {
			return storetest.ErrInjected
		}
		return nil
	})
	require.ErrorIs(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed))), storetest.ErrInjected)
	require.True(t, written)
	faults.Hook(nil)
	require.Equal(t, 4, k.failures(t))
	require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed))))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Zero(t, st.Lockout.Failures)
	require.Zero(t, st.Lockout.Devices)
}

// What is kept for the second request goes with the next write after its time: records stay as short as most are.
func TestWhatIsKeptForTheSecondRequestGoes(t *testing.T) {
	for name, write := range map[string]func(k *kit) error{
		"login": func(k *kit) error { return testkit.Err(k.Verify(t.Context(), try(chosen))) },
		"evidence": func(k *kit) error {
			return k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.Video, By: clerk})
		},
	} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		require.Contains(t, k.plain(t), `"again"`, name)
		k.clock.Add(day)
		require.NoError(t, write(k), name)
		require.NotContains(t, k.plain(t), `"again"`, name)
	}
}
