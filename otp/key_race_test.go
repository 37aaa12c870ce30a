package otp_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// roomy lets many attempts be under way at once, so that they meet at the record and not at the gate.
var roomy = lockout.Policy{Limit: 100, Lock: lockout.UntilUnlocked}

// storm runs do n times at once and counts what came of it. Those that were told that it is busy come again.
func storm(t *testing.T, n int, do func(i int) error) map[string]int {
	t.Helper()
	var mu sync.Mutex
	counts := make(map[string]int)
	gun := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-gun
			err := do(i)
			for errors.Is(err, otp.ErrBusy) {
				time.Sleep(rand.N(20 * time.Millisecond)) // or they leave the one who is at it no processor
				err = do(i)
			}
			mu.Lock()
			defer mu.Unlock()
			counts[outcome(t, err)]++
		})
	}
	close(gun)
	wg.Wait()
	return counts
}

// Two hundred uses of one code at once, over four services: one wins, and the others count as wrong until that locks.
func TestKeyOneWinner(t *testing.T) {
	for _, policy := range []lockout.Policy{roomy, {}} {
		s := store.NewMemory()
		first := totpOn(t, s, otp.TOTPPolicy{Lockout: policy}, newClock(), &testkit.Recorder{})
		key := first.enrolled(t)
		services := []*fob{first}
		for range 3 {
			services = append(services, totpOn(t, s, otp.TOTPPolicy{Lockout: policy}, first.clock, first.events))
		}
		code := civicpin.NewSecret(first.shown(key, 0))
		counts := storm(t, 200, func(i int) error { return services[i%4].TOTP.Verify(t.Context(), ada, code, fobSource) })
		assert.Equal(t, 1, counts[fobAccepted], counts)
		assert.Equal(t, 199, counts[fobRefused]+counts[fobLocked], counts)
	}
	s := store.NewMemory()
	first := hotpOn(t, s, otp.HOTPPolicy{Lockout: lockout.Policy{Limit: 50, Lock: lockout.UntilUnlocked}}, newClock(), &testkit.Recorder{})
	key := first.enrolled(t)
	code, next := civicpin.NewSecret(codeAt(key, 1)), civicpin.NewSecret(codeAt(key, 2))
	counts := storm(t, 200, func(i int) error {
		if i%2 == 0 {
			return first.HOTP.Verify(t.Context(), ada, code, fobSource)
		}
		return first.HOTP.Resync(t.Context(), ada, code, next, fobSource)
	})
	assert.Equal(t, 1, counts[fobAccepted], counts)
}

// Many attempts that have all read the record, and compared, before any writes: one write succeeds.
func TestKeyOneWriteWins(t *testing.T) {
	const n = 50
	faults := storetest.NewFaults(store.NewMemory())
	f := totpOn(t, faults.Store(), otp.TOTPPolicy{Lockout: roomy}, newClock(), &testkit.Recorder{})
	key := f.enrolled(t)
	var waiting atomic.Int32
	all := make(chan struct{})
	faults.Hook(func(method, key string) error {
		if method == storetest.Put && len(key) > 10 && key[:10] == "totp.totp/" {
			if waiting.Add(1) == n {
				close(all)
			}
			<-all
		}
		return nil
	})
	code := civicpin.NewSecret(f.shown(key, 0))
	counts := storm(t, n, func(int) error { return f.Verify(t.Context(), ada, code, fobSource) })
	assert.Equal(t, map[string]int{fobAccepted: 1, fobRefused: n - 1}, counts)
	assert.EqualValues(t, n, waiting.Load(), "the losers found the code spent and wrote nothing")
	assert.LessOrEqual(t, f.status(t).Lockout.Failures, n-1)
}

// A thousand wrong codes at once, limit 5: five are compared.
func TestKeyLimitIsExact(t *testing.T) {
	for name, subject := range map[string]civicpin.Subject{"known": ada, "unknown": "NOBODY"} {
		s := store.NewMemory()
		policy := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}
		one := totpOn(t, s, otp.TOTPPolicy{Lockout: policy}, newClock(), &testkit.Recorder{})
		two := totpOn(t, s, otp.TOTPPolicy{Lockout: policy}, one.clock, one.events)
		key := one.enrolled(t)
		one.told()
		typed := civicpin.NewSecret(one.wrongCode(key))
		counts := storm(t, 1000, func(i int) error {
			return []*fob{one, two}[i%2].TOTP.Verify(t.Context(), subject, typed, fobSource)
		})
		assert.Equal(t, map[string]int{fobRefused: 4, fobLocked: 996}, counts, name)
		compared := 0
		for _, e := range one.told() {
			if e == "otp.refused: wrong" || e == "otp.refused: unknown" {
				compared++
			}
		}
		assert.Equal(t, 5, compared, name)
	}
}

// A code that is right, while the keys are managed at the same time, is accepted at most once, and the record stays sound.
func TestKeyManagedMeanwhile(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{Lockout: roomy})
	key := f.enrolled(t)
	code := civicpin.NewSecret(f.shown(key, 0))
	var accepted atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 8 {
				switch err := f.Verify(context.Background(), ada, code, fobSource); {
				case err == nil:
					accepted.Add(1)
				case !errors.Is(err, otp.ErrRefused) && !errors.Is(err, otp.ErrBusy):
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 8 {
				if _, err := f.Enrol(context.Background(), ada); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, accepted.Load())
	last, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(last, 0)))
}
