package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// failures returns how many failures in a row a subject has.
func failures(tb testing.TB, g *lockout.Gate, k lockout.Target) int {
	tb.Helper()
	st, err := g.Status(context.Background(), k)
	require.NoError(tb, err)
	return st.Failures
}

// TestVerifyReturns is the table of what verify may return.
func TestVerifyReturns(t *testing.T) {
	own := fmt.Errorf("register: %w", lockout.ErrNoSubject)
	for _, tc := range []struct {
		name     string
		ok       bool
		err      error
		failures int
		want     func(error) bool
	}{
		{"right", true, nil, 0, func(err error) bool { return err == nil }},
		{"wrong", false, nil, 2, func(err error) bool { return errors.Is(err, lockout.ErrRefused) }},
		{"no subject", false, lockout.ErrNoSubject, 2, func(err error) bool { return errors.Is(err, lockout.ErrRefused) }},
		{"no subject, wrapped", false, own, 2, func(err error) bool { return errors.Is(err, lockout.ErrRefused) }},
		{"right and no subject", true, own, 2, func(err error) bool { return errors.Is(err, lockout.ErrRefused) }},
		{"an error", false, errBroken, 1, func(err error) bool { return err == errBroken }},
		{"right and an error", true, errBroken, 1, func(err error) bool { return err == errBroken }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 9, Lock: lockout.UntilUnlocked})
			require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), wrong), lockout.ErrRefused)
			err := gate.Do(t.Context(), key("CITIZEN"), func(context.Context) (bool, error) { return tc.ok, tc.err })
			assert.True(t, tc.want(err), "%v", err)
			assert.NotErrorIs(t, err, lockout.ErrNoSubject, "what only the verifier may know")
			assert.Equal(t, tc.failures, failures(t, gate, key("CITIZEN")))
		})
	}
}

// TestVerifyPanics: a guess that brings the verifier down is counted, and the panic goes on as it was.
func TestVerifyPanics(t *testing.T) {
	vault := memoryVault(t, newClock().Now, nil)
	gate := newGate(t, vault, lockout.Policy{
		Limit: 2, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: 3, Window: hour},
	})
	fall := func(subject civicpin.Subject) {
		require.PanicsWithValue(t, errBroken, func() {
			_ = gate.Do(t.Context(), key(subject), func(context.Context) (bool, error) { panic(errBroken) })
		})
	}
	fall("CITIZEN")
	require.Equal(t, 1, failures(t, gate, key("CITIZEN")))
	fall("CITIZEN")
	asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	fall("ANOTHER")
	locked := asLocked(t, gate.Do(t.Context(), key("ANOTHER"), never(t)))
	require.Equal(t, lockout.ScopeGlobal, locked.Scope, "panics count globally")
}

// TestVerifyEndsGoroutine: the same for runtime.Goexit, which t.FailNow calls.
func TestVerifyEndsGoroutine(t *testing.T) {
	vault := memoryVault(t, newClock().Now, nil)
	gate := newGate(t, vault, lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = gate.Do(context.Background(), key("CITIZEN"), func(context.Context) (bool, error) {
			runtime.Goexit()
			return true, nil
		})
	}()
	<-done
	asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
}

// TestHangUp: a visitor who hangs up during the verification does not escape the count, nor lose a success.
func TestHangUp(t *testing.T) {
	gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
	hangUp := func(ok bool) error {
		ctx, cancel := context.WithCancel(t.Context())
		return gate.Do(ctx, key("CITIZEN"), func(ctx context.Context) (bool, error) {
			cancel()
			<-ctx.Done()
			return ok, nil
		})
	}
	require.Equal(t, 2, asRefused(t, hangUp(false)).Left)
	require.Equal(t, 1, asRefused(t, hangUp(false)).Left)
	require.NoError(t, hangUp(true))
	require.Zero(t, failures(t, gate, key("CITIZEN")))
	for range 2 {
		asRefused(t, hangUp(false))
	}
	asLocked(t, hangUp(false))

	// A verifier that gave up before comparing says so, and the guess is given back.
	gate = newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked})
	ctx, cancel := context.WithCancel(t.Context())
	err := gate.Do(ctx, key("CITIZEN"), func(ctx context.Context) (bool, error) {
		cancel()
		return false, ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))

	// Who hung up before is not verified.
	require.ErrorIs(t, gate.Do(ctx, key("CITIZEN"), never(t)), context.Canceled)
}

// TestTimeout: the verifier's context ends after Policy.Timeout, and a success counts until its reservation's deadline.
func TestTimeout(t *testing.T) {
	for _, tc := range []struct {
		name     string
		takes    time.Duration
		ok       bool
		verify   error
		want     string
		failures int
	}{
		{"right, in time", 45*second - 1, true, nil, "ok", 0},
		{"right, too late", 45 * second, true, nil, "timeout", 2},
		{"wrong, in time", 45*second - 1, false, nil, "left 7", 2},
		{"wrong, too late", 45 * second, false, nil, "left 7", 2}, // counted once
		{"given back, in time", 45*second - 1, false, errBroken, "broken", 1},
		{"given back, too late", 45 * second, false, errBroken, "broken", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 9, Lock: lockout.UntilUnlocked})
				_ = gate.Do(t.Context(), key("CITIZEN"), wrong)
				began := time.Now()
				err := gate.Do(t.Context(), key("CITIZEN"), func(ctx context.Context) (bool, error) {
					<-ctx.Done()
					assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
					assert.Equal(t, 30*second, time.Since(began))
					time.Sleep(time.Until(began.Add(tc.takes)))
					return tc.ok, tc.verify
				})
				assert.Equal(t, tc.want, describe(err, true, began))
				assert.Equal(t, tc.failures, failures(t, gate, key("CITIZEN")))
			})
		})
	}
}

// TestDeadProcess: reservations that nobody settles become failures at their deadline, as of then, and may lock.
func TestDeadProcess(t *testing.T) {
	clock := newClock()
	var events testkit.Recorder
	vault := memoryVault(t, clock.Now, &events)
	gate := newGate(t, vault, lockout.Policy{Limit: 2, Lock: lockout.Timed, For: minute, Timeout: 10 * second})
	mustHold(t, gate, key("CITIZEN")) // never ended: as good as dead
	clock.Add(5 * second)
	mustHold(t, gate, key("CITIZEN"))
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrInFlight)

	clock.Add(20*second - 1)
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrInFlight)
	clock.Add(1) // the first one's deadline
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrInFlight)
	require.Equal(t, 1, failures(t, gate, key("CITIZEN")))
	require.Empty(t, codes(&events))

	clock.Add(20 * second) // beyond the second one's, at 30 s
	locked := asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	require.Equal(t, start.Add(90*second), locked.Until.UTC(), "a minute after the deadline, not after it was seen")
	require.Equal(t, []civicpin.EventCode{"lockout.locked"}, codes(&events))
	asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	require.Empty(t, codes(&events), "told once")
	clock.Add(45 * second)
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
}

// TestOperatorDuringVerification: what an operator does while a guess is being verified is not undone by its outcome.
func TestOperatorDuringVerification(t *testing.T) {
	setUp := func(t *testing.T) (*lockout.Gate, *held) {
		gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
			Limit: 3, Lock: lockout.Timed, For: minute, Ceiling: 5,
		})
		asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		return gate, mustHold(t, gate, key("CITIZEN"))
	}
	status := func(t *testing.T, g *lockout.Gate) lockout.Status {
		st, err := g.Status(t.Context(), key("CITIZEN"))
		require.NoError(t, err)
		return st
	}
	t.Run("lock, then right", func(t *testing.T) {
		gate, h := setUp(t)
		require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
		require.True(t, asLocked(t, h.end(true, nil)).Until.IsZero())
		asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
		require.Equal(t, 1, status(t, gate).Failures, "no reset")
	})
	t.Run("lock, then wrong", func(t *testing.T) {
		gate, h := setUp(t)
		require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
		require.True(t, asLocked(t, h.end(false, nil)).Until.IsZero())
		st := status(t, gate)
		require.Equal(t, 2, st.Failures, "it was compared, and so counts for the ceiling")
		require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
		require.Equal(t, 3, status(t, gate).Left, "and for no later lock")
	})
	t.Run("lock, then not compared", func(t *testing.T) {
		gate, h := setUp(t)
		require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
		require.ErrorIs(t, h.end(false, errBroken), errBroken)
		require.Equal(t, 1, status(t, gate).Failures)
		asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	})
	t.Run("lock and unlock, then right", func(t *testing.T) {
		gate, h := setUp(t)
		require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
		require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
		require.NoError(t, h.end(true, nil))
		require.Equal(t, 1, status(t, gate).Failures, "a lock was set since the take: no reset")
	})
	t.Run("unlock, then wrong", func(t *testing.T) {
		gate, h := setUp(t)
		require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
		require.Equal(t, 2, asRefused(t, h.end(false, nil)).Left)
	})
	t.Run("rebind, then wrong", func(t *testing.T) {
		gate, h := setUp(t)
		require.NoError(t, gate.Rebind(t.Context(), key("CITIZEN"), operator))
		require.Equal(t, 2, asRefused(t, h.end(false, nil)).Left)
		require.Equal(t, 1, status(t, gate).Failures)
	})
	t.Run("rebind and lock, then right", func(t *testing.T) {
		gate, h := setUp(t)
		require.NoError(t, h.end(true, nil))
		require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
		require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
		h = mustHold(t, gate, key("CITIZEN")) // when one lock had been set
		require.NoError(t, gate.Rebind(t.Context(), key("CITIZEN"), operator))
		require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator)) // again one since then
		asLocked(t, h.end(true, nil))
		asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	})
	t.Run("lock and unlock buy an accomplice no guesses beyond the ceiling", func(t *testing.T) {
		gate, h := setUp(t)
		compared := 2
		for h != nil {
			require.LessOrEqual(t, compared, 5)
			require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
			asLocked(t, h.end(false, nil))
			_ = gate.Unlock(t.Context(), key("CITIZEN"), operator)
			h, _ = hold(t.Context(), gate, key("CITIZEN"))
			compared++
		}
		require.True(t, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Disabled)
	})
}

// TestSuccessAmongFailures: with all that the limit lets through in flight, one right guess gets in whenever it ends.
func TestSuccessAmongFailures(t *testing.T) {
	const limit = 4
	for place := range limit {
		vault := memoryVault(t, newClock().Now, nil)
		gate := newGate(t, vault, lockout.Policy{Limit: limit, Lock: lockout.UntilUnlocked})
		var all []*held
		for range limit {
			all = append(all, mustHold(t, gate, key("CITIZEN")))
		}
		for i, h := range all {
			if err := h.end(i == place, nil); i == place {
				require.NoError(t, err)
			} else {
				asRefused(t, err)
			}
		}
		require.Equal(t, limit-1-place, failures(t, gate, key("CITIZEN")), "only failures since the success count")
	}
}

// TestRaceForTheLastGuess: a right guess and the one that locks, at once, many times.
func TestRaceForTheLastGuess(t *testing.T) {
	for i := range 200 {
		gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked})
		asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		results := testkit.Crowd(2, func(n int) error {
			if n == 0 {
				return gate.Do(t.Context(), key("CITIZEN"), right)
			}
			return gate.Do(t.Context(), key("CITIZEN"), wrong)
		})
		st, err := gate.Status(t.Context(), key("CITIZEN"))
		require.NoError(t, err)
		_, wrongLocked := errors.AsType[*lockout.LockedError](results[1])
		if results[0] == nil {
			require.False(t, wrongLocked, "round %d", i)
			require.Nil(t, st.Locked)
			require.LessOrEqual(t, st.Failures, 1)
		} else {
			require.True(t, wrongLocked, "round %d: %v", i, results)
			require.Equal(t, 2, st.Failures)
			require.NotNil(t, st.Locked)
		}
	}
}
