package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
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
		{"a right guess resets", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, []step{
			{0, "wrong", "left 2"},
			{0, "wrong", "left 1"},
			{0, "status", "failures 2, left 1"},
			{0, "right", "ok"},
			{0, "status", "failures 0, left 3"},
			{0, "wrong", "left 2"},
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
			{17 * minute, "wrong", "locks to 18m0s"}, // from the start after a success
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
		{"a right guess puts the ceiling off", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Ceiling: 4}, []step{
			{0, "wrong", "left 2"},
			{0, "wrong", "left 1"},
			{0, "right", "ok"},
			{0, "wrong", "left 2"},
			{0, "wrong", "left 1"},
			{0, "wrong", "locks"},
			{0, "unlock", "ok"},
			{0, "wrong", "locks for good"},
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
			{211 * second, "wrong", "left 9"},
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

// TestForget: what strangers leave goes, what citizens leave stays, and what says nothing goes soon.
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
			{10*day - 1, "status", "failures 1, left 1"},
			{10 * day, "status", "failures 0, left 2"},
			{10 * day, "purge", "0"}, // kept a while longer for clocks that differ
			{10*day + hour, "purge", "1"},
		}},
		{"counted from the last failure", until, []step{
			{0, "stranger", "left 1"},
			{9 * day, "stranger", "locks"},
			{19*day - 1, "stranger", "locked"},
			{19 * day, "stranger", "left 1"},
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
			{10*day - minute + hour - 1, "status", "failures 1, left 1"},
			{10*day - minute + hour, "status", "failures 0, left 2"},
		}},
		{"a citizen's count never", until, []step{
			{0, "wrong", "left 1"},
			{3650 * day, "purge", "0"},
			{3650 * day, "wrong", "locks"},
			{7300 * day, "right", "locked"},
		}},
		{"the count of whom a registration made a citizen never", until, []step{
			{0, "stranger", "left 1"},
			{day, "wrong", "locks"},
			{3650 * day, "right", "locked"},
		}},
		{"an operator's lock never", until, []step{
			{0, "stranger", "left 1"},
			{0, "lock", "ok"},
			{3650 * day, "right", "locked"},
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
			{8 * hour, "purge", "1"},
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
