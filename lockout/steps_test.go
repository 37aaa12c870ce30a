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
	"github.com/civicpin/civicpin/store"
)

// A step is something that happens at a time since the beginning, and what comes of it, as describe writes it.
type step struct {
	at   time.Duration
	act  string
	want string
}

// describe writes what came of a guess in words. A lock is "locks" if the guess was compared, and "locked" if not.
func describe(err error, compared bool, began time.Time) string {
	if locked, ok := errors.AsType[*lockout.LockedError](err); ok {
		text := "locked"
		if compared {
			text = "locks"
		}
		if locked.Scope != lockout.ScopeSubject {
			text = string(locked.Scope) + " " + text
		}
		switch {
		case locked.Disabled:
			return text + " for good"
		case locked.Until.IsZero():
			return text
		}
		return text + " to " + locked.Until.Sub(began).String()
	}
	text := "error: " + fmt.Sprint(err)
	switch refused, isRefused := errors.AsType[*lockout.RefusedError](err); {
	case err == nil:
		text = "ok"
	case isRefused && refused.NextAt.IsZero():
		text = fmt.Sprintf("left %d", refused.Left)
	case isRefused:
		text = fmt.Sprintf("left %d, next at %s", refused.Left, refused.NextAt.Sub(began))
	case errors.Is(err, lockout.ErrBusy):
		text = "busy"
	case errors.Is(err, lockout.ErrTimeout):
		text = "timeout"
	case errors.Is(err, errBroken):
		text = "broken"
	}
	if mayCompare := text != "busy"; compared != mayCompare {
		text += fmt.Sprintf(" (compared: %t)", compared)
	}
	return text
}

// play does the steps with one subject and one gate, by a clock that stands still but for the steps.
func play(t *testing.T, p lockout.Policy, steps []step) {
	synctest.Test(t, func(t *testing.T) {
		vault := memoryVault(t, nil, nil)
		gate := newGate(t, vault, p)
		began := time.Now()
		guess := func(outcome func(context.Context) (bool, error)) string {
			compared := false
			err := gate.Do(t.Context(), key("CITIZEN"), func(ctx context.Context) (bool, error) {
				compared = true
				return outcome(ctx)
			})
			return describe(err, compared, began)
		}
		for i, s := range steps {
			time.Sleep(time.Until(began.Add(s.at)))
			var got string
			switch s.act {
			case "wrong":
				got = guess(wrong)
			case "right":
				got = guess(right)
			case "stranger":
				got = guess(stranger)
			case "broken":
				got = guess(broken)
			case "unlock":
				got = describe(gate.Unlock(t.Context(), key("CITIZEN"), operator), true, began)
			case "lock":
				got = describe(gate.Lock(t.Context(), key("CITIZEN"), operator), true, began)
			case "rebind":
				got = describe(gate.Rebind(t.Context(), key("CITIZEN"), civicpin.Citizen), true, began)
			case "purge":
				at, err := vault.Purge(t.Context(), store.Pass{})
				require.NoError(t, err)
				got = fmt.Sprint(at.Changed)
			case "status":
				st, err := gate.Status(t.Context(), key("CITIZEN"))
				require.NoError(t, err)
				got = fmt.Sprintf("failures %d, left %d", st.Failures, st.Left)
				if st.Hidden {
					got = fmt.Sprintf("failures %d, hidden", st.Failures)
				}
				if st.Locked != nil {
					got = fmt.Sprintf("failures %d, %s", st.Failures, describe(st.Locked, false, began))
				}
			default:
				t.Fatalf("step %d: no such act: %s", i, s.act)
			}
			require.Equal(t, s.want, got, "step %d: %s at %s", i, s.act, s.at)
		}
	})
}

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// repeat returns n equal steps.
func repeat(n int, s step) (steps []step) {
	for range n {
		steps = append(steps, s)
	}
	return steps
}

// join puts lists of steps together.
func join(lists ...[]step) (steps []step) {
	for _, list := range lists {
		steps = append(steps, list...)
	}
	return steps
}

func TestSteps(t *testing.T) {
	for _, tc := range []struct {
		name   string
		policy lockout.Policy
		steps  []step
	}{
		{"a right guess does not show", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, []step{
			{0, "wrong", "left 2"},
			{0, "wrong", "left 1"},
			{0, "status", "failures 2, left 1"},
			{0, "right", "ok"},
			{0, "status", "failures 0, left 1"},
			{0, "wrong", "locks"},
			{0, "status", "failures 1, locked"},
			{0, "right", "locked"},
			{0, "unlock", "ok"},
			{0, "wrong", "left 2"},
			{0, "right", "ok"},
		}},
		{"a day forgives a failure", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Ceiling: 6}, []step{
			{0, "wrong", "left 2"},
			{0, "wrong", "left 1"},
			{day - 1, "status", "failures 2, left 1"},
			{day, "wrong", "left 1"},
			{2 * day, "wrong", "left 1"},
			{5 * day, "wrong", "left 2"},
			{5 * day, "status", "failures 5, left 1"}, // by the ceiling, which no day puts off
			{5 * day, "wrong", "left 1"},              // the last one of the ceiling
			{5 * day, "right", "locked"},
		}},
		{"a ceiling that does not show", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Ceiling: 4}, []step{
			{0, "wrong", "left 2"},
			{40 * day, "wrong", "left 2"},
			{80 * day, "wrong", "left 2"},
			{120 * day, "wrong", "left 2"},
			{120 * day, "status", "failures 4, hidden"},
			{120 * day, "right", "left 1 (compared: false)"},
			{120 * day, "right", "locked"},
			{120 * day, "rebind", "ok"},
			{120 * day, "right", "ok"},
		}},
		{"a lock is shown for 400 days", lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked}, []step{
			{0, "wrong", "locks"},
			{400*day - 1, "right", "locked"},
			{400 * day, "right", "locked"}, // as an unknown subject's: the guess locks anew, and is not compared
			{401 * day, "unlock", "ok"},
			{401 * day, "right", "ok"},
		}},
		{"locks until unlocked", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, []step{
			{0, "wrong", "left 2"},
			{0, "wrong", "left 1"},
			{0, "wrong", "locks"},
			{0, "right", "locked"},
			{365 * day, "right", "locked"},
			{365 * day, "status", "failures 3, locked"},
			{365 * day, "unlock", "ok"},
			{365 * day, "status", "failures 3, left 3"},
			{365 * day, "wrong", "left 2"},
			{365 * day, "right", "ok"},
		}},
		{"a limit of one", lockout.Policy{Limit: 1, Lock: lockout.Timed, For: minute}, []step{
			{0, "right", "ok"},
			{0, "wrong", "locks to 1m0s"},
			{minute, "right", "ok"},
		}},
		{"locks of a fixed time end exactly at Until", lockout.Policy{Limit: 2, Lock: lockout.Timed, For: 15 * minute}, []step{
			{0, "wrong", "left 1"},
			{minute, "wrong", "locks to 16m0s"},
			{16*minute - 1, "right", "locked to 16m0s"},
			{16 * minute, "wrong", "left 1"},
			{17 * minute, "wrong", "locks to 32m0s"},
			{32 * minute, "status", "failures 4, left 2"},
			{32 * minute, "right", "ok"},
		}},
		{"locks that grow to a most", lockout.Policy{Limit: 1, Lock: lockout.Timed, For: minute, Max: 5 * minute}, []step{
			{0, "wrong", "locks to 1m0s"},
			{minute, "wrong", "locks to 3m0s"},
			{3 * minute, "wrong", "locks to 7m0s"},
			{7 * minute, "wrong", "locks to 12m0s"},
			{12 * minute, "wrong", "locks to 17m0s"},
			{17 * minute, "right", "ok"},
			{17 * minute, "wrong", "locks to 22m0s"}, // as if there had been no success
		}},
		{"unlocking keeps the growth", lockout.Policy{Limit: 1, Lock: lockout.Timed, For: minute, Max: hour}, []step{
			{0, "wrong", "locks to 1m0s"},
			{0, "unlock", "ok"},
			{0, "wrong", "locks to 2m0s"},
			{0, "rebind", "ok"},
			{0, "wrong", "locks to 1m0s"},
		}},
		{"an operator's lock grows no other", lockout.Policy{Limit: 1, Lock: lockout.Timed, For: minute, Max: hour}, []step{
			{0, "lock", "ok"},
			{0, "unlock", "ok"},
			{0, "wrong", "locks to 1m0s"},
		}},
		{"a guess while locked neither counts nor extends", lockout.Policy{Limit: 2, Lock: lockout.Timed, For: minute}, join(
			[]step{{0, "wrong", "left 1"}, {0, "wrong", "locks to 1m0s"}},
			repeat(20, step{30 * second, "wrong", "locked to 1m0s"}),
			[]step{{59 * second, "status", "failures 2, locked to 1m0s"}, {minute, "wrong", "left 1"}},
		)},
		{"the ceiling, across locks that end", lockout.Policy{Limit: 2, Lock: lockout.Timed, For: minute, Ceiling: 5}, []step{
			{0, "wrong", "left 1"},
			{0, "wrong", "locks to 1m0s"},
			{minute, "wrong", "left 1"},
			{minute, "wrong", "locks to 2m0s"},
			{2 * minute, "status", "failures 4, left 1"}, // by the ceiling, not by the limit
			{2 * minute, "wrong", "locks for good"},
			{100 * day, "right", "locked for good"},
			{100 * day, "unlock", "locks for good"},
			{100 * day, "right", "locked for good"},
			{100 * day, "rebind", "ok"},
			{100 * day, "status", "failures 0, left 2"},
			{100 * day, "right", "ok"},
		}},
		{"the ceiling, across unlocks", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Ceiling: 4}, []step{
			{0, "wrong", "left 2"},
			{0, "unlock", "ok"},
			{0, "wrong", "left 2"}, // two failures in all
			{0, "unlock", "ok"},
			{0, "wrong", "left 1"},
			{0, "unlock", "ok"},
			{0, "wrong", "locks for good"},
		}},
		{"a right guess does not put the ceiling off that shows", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Ceiling: 4}, []step{
			{0, "wrong", "left 2"},
			{0, "wrong", "left 1"},
			{0, "right", "ok"},
			{0, "wrong", "locks"},
			{0, "unlock", "ok"},
			{0, "wrong", "locks for good"},
			{0, "status", "failures 2, locked for good"},
			{0, "right", "locked for good"},
			{0, "rebind", "ok"},
			{0, "right", "ok"},
		}},
		{"delays that grow", lockout.Policy{
			Limit: 10, Lock: lockout.UntilUnlocked, DelayAfter: 2, Delay: 30 * second, DelayMax: 2 * minute,
		}, []step{
			{0, "wrong", "left 9"},
			{0, "wrong", "left 8, next at 30s"},
			{30*second - 1, "right", "locked to 30s"},
			{30 * second, "wrong", "left 7, next at 1m30s"},
			{90 * second, "wrong", "left 6, next at 3m30s"},
			{210 * second, "wrong", "left 5, next at 5m30s"},
			{211 * second, "unlock", "ok"}, // ends a delay, too
			{211 * second, "right", "ok"},
			{211 * second, "wrong", "left 9, next at 5m31s"}, // as if there had been no success
		}},
		{"a delay and a lock", lockout.Policy{
			Limit: 2, Lock: lockout.Timed, For: minute, DelayAfter: 1, Delay: 2 * minute,
		}, []step{
			{0, "wrong", "left 1, next at 2m0s"},
			{2 * minute, "wrong", "locks to 3m0s"},
			{3 * minute, "wrong", "locked to 6m0s"}, // the delay outlasts the lock
			{6 * minute, "right", "ok"},
		}},
		{"what could not be compared is given back", lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked}, join(
			repeat(10, step{0, "broken", "broken"}),
			[]step{{0, "wrong", "left 1"}, {0, "broken", "broken"}, {0, "wrong", "locks"}, {0, "unlock", "ok"}},
			[]step{{0, "broken", "broken"}, {0, "status", "failures 2, left 2"}},
		)},
		{"rebinding forgets everything", lockout.Policy{
			Limit: 2, Lock: lockout.UntilUnlocked, DelayAfter: 2, Delay: minute,
		}, []step{
			{0, "wrong", "left 1"},
			{0, "wrong", "locks"},
			{0, "rebind", "ok"},
			{0, "status", "failures 0, left 2"},
			{0, "wrong", "left 1"},
		}},
		{"an operator's lock", lockout.Policy{Limit: 2, Lock: lockout.Timed, For: minute}, []step{
			{0, "lock", "ok"},
			{0, "right", "locked"},
			{day, "right", "locked"}, // does not end by itself, whatever the policy's kind
			{day, "unlock", "ok"},
			{day, "right", "ok"},
			{day, "wrong", "left 1"},
			{day, "wrong", "locks to 24h1m0s"},
			{day, "lock", "ok"}, // takes the place of a lock for a time
			{2 * day, "right", "locked"},
		}},
		{"unlocking and rebinding where there is nothing", lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked}, []step{
			{0, "status", "failures 0, left 2"},
			{0, "unlock", "ok"},
			{0, "rebind", "ok"},
			{day, "purge", "0"},
			{day, "wrong", "left 1"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { play(t, tc.policy, tc.steps) })
	}
}

// TestForget: what strangers leave goes, what is shown of known subjects goes alike, and what says nothing goes soon.
func TestForget(t *testing.T) {
	until := lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked, Forget: 10 * day}
	timed := lockout.Policy{Limit: 2, Lock: lockout.Timed, For: 20 * day, Forget: 10 * day}
	for _, tc := range []struct {
		name   string
		policy lockout.Policy
		steps  []step
	}{
		{"a stranger's count, after Forget", until, []step{
			{0, "stranger", "left 1"},
			{day - 1, "status", "failures 1, left 1"},
			{day, "status", "failures 1, left 2"},
			{10*day - 1, "status", "failures 1, left 2"},
			{10 * day, "status", "failures 0, left 2"},
			{10 * day, "purge", "0"}, // kept a while longer for clocks that differ
			{10*day + hour, "purge", "1"},
		}},
		{"counted from the last failure", until, []step{
			{0, "stranger", "left 1"},
			{day - 1, "stranger", "locks"},
			{day, "unlock", "ok"},
			{10 * day, "stranger", "left 1"},
			{20*day - 1, "status", "failures 3, left 2"},
			{20 * day, "status", "failures 0, left 2"},
		}},
		{"a lock until unlocked, after 400 days", until, []step{
			{0, "stranger", "left 1"},
			{0, "stranger", "locks"},
			{400*day - 1, "stranger", "locked"},
			{800*day - 1, "stranger", "left 1"},
		}},
		{"and on the day itself", until, []step{
			{0, "stranger", "left 1"},
			{0, "stranger", "locks"},
			{400*day - 1, "status", "failures 2, locked"},
			{400 * day, "status", "failures 0, left 2"},
		}},
		{"not before its lock or delay ends", timed, []step{
			{0, "stranger", "left 1"},
			{0, "stranger", "locks to 480h0m0s"},
			{20*day - 1, "stranger", "locked to 480h0m0s"},
			{30*day - 1, "status", "failures 2, left 2"},
			{30 * day, "status", "failures 0, left 2"},
		}},
		{"guesses that are given back keep a stranger's count for an hour", until, []step{
			{0, "stranger", "left 1"},
			{10*day - minute, "broken", "broken"},
			{10*day - minute + hour - 1, "status", "failures 1, left 2"},
			{10*day - minute + hour, "status", "failures 0, left 2"},
		}},
		{"a known subject's count, only towards the ceiling", until, []step{
			{0, "wrong", "left 1"},
			{3650 * day, "purge", "0"},
			{3650 * day, "wrong", "left 1"},
			{3650 * day, "status", "failures 2, left 1"},
			{7300 * day, "right", "ok"},
		}},
		{"the count of a subject who has registered since", until, []step{
			{0, "stranger", "left 1"},
			{hour, "wrong", "locks"},
			{3650 * day, "status", "failures 2, hidden"},
			{3650 * day, "right", "left 1 (compared: false)"}, // as an unknown subject's
		}},
		{"an operator's lock never", until, []step{
			{0, "stranger", "left 1"},
			{0, "lock", "ok"},
			{3650 * day, "right", "left 1 (compared: false)"},
			{3650 * day, "unlock", "ok"},
			{3650 * day, "right", "ok"},
		}},
		{"what says nothing, after an hour", until, []step{
			{0, "right", "ok"},
			{2*hour - 1, "purge", "0"},
			{2 * hour, "purge", "1"},
			{2 * hour, "broken", "broken"},
			{4 * hour, "purge", "1"},
			{4 * hour, "lock", "ok"},
			{4 * hour, "unlock", "ok"},
			{6 * hour, "purge", "1"},
			{6 * hour, "wrong", "left 1"},
			{6 * hour, "rebind", "ok"},
			{8 * hour, "purge", "0"}, // what only shows: until Forget
			{10*day + 8*hour, "purge", "1"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { play(t, tc.policy, tc.steps) })
	}
}

func TestDoubled(t *testing.T) {
	for _, tc := range []struct {
		d, most time.Duration
		n       int
		want    time.Duration
	}{
		{minute, hour, 0, minute},
		{minute, hour, 1, 2 * minute},
		{minute, hour, 5, 32 * minute},
		{minute, hour, 6, hour},
		{minute, hour, 99, hour},
		{minute, 2 * minute, 1, 2 * minute},
		{minute, 2*minute + 1, 1, 2 * minute},
		{hour, hour, 0, hour},
		{366 * day, 366 * day, 99, 366 * day},
	} {
		require.Equal(t, tc.want, lockout.Doubled(tc.d, tc.most, tc.n), "%s to %s, %d", tc.d, tc.most, tc.n)
	}
}

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
	require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
	require.NoError(t, gate.Rebind(t.Context(), key("CITIZEN"), operator))
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
		require.Equal(t, 1, asRefused(t, h.end(false, nil)).Left, "which does not tell of the binding")
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
			require.Equal(t, wrongLocked, st.Locked != nil, "round %d: the success does not take the failure before back", i)
			require.LessOrEqual(t, st.Failures, 1)
		} else {
			require.True(t, wrongLocked, "round %d: %v", i, results)
			require.Equal(t, 2, st.Failures)
			require.NotNil(t, st.Locked)
		}
	}
}
