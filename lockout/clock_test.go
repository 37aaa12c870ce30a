package lockout_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// TestClockJumps: a clock that jumps neither resets a count nor extends a lock or a delay beyond
// what the policy could have written.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{-second, -hour, -1000 * day} {
		t.Run("back "+jump.String(), func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 2, Lock: lockout.Timed, For: 15 * minute, DelayAfter: 1, Delay: minute,
			})
			next := asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).NextAt
			clock.Add(jump)
			most := func(d time.Duration, until time.Time) time.Time { // that the policy could have written
				if latest := clock.Now().Add(d); until.After(latest.Add(5 * minute)) {
					return latest
				}
				return until
			}
			next = most(hour, next)
			require.Equal(t, next, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until.UTC(), "the delay")
			clock.Add(-jump + minute)
			until := asLocked(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).Until
			require.Equal(t, start.Add(16*minute), until.UTC())
			clock.Add(jump)
			until = most(15*minute, until)
			for range 5 {
				require.Equal(t, until.UTC(), asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until.UTC(), "the lock")
			}
			require.Equal(t, 2, failures(t, gate, key("CITIZEN")))
			clock.Add(-jump + 15*minute)
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right), "it ends when it would have, or earlier")
		})
	}
	t.Run("forward and back", func(t *testing.T) {
		clock := newClock()
		gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
			Limit: 2, Lock: lockout.Timed, For: 15 * minute, Ceiling: 6,
		})
		asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		until := asLocked(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).Until
		clock.Add(-day)
		until = until.Add(-day)
		require.Equal(t, until.UTC(), asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until.UTC())
		clock.Add(2 * day) // ahead: the lock has ended, but nothing is forgotten
		require.Equal(t, 1, asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).Left)
		clock.Add(-day)
		require.Equal(t, 3, failures(t, gate, key("CITIZEN")))
		asLocked(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		for compared := 4; compared < 6; compared++ {
			clock.Add(day)
			_ = gate.Do(t.Context(), key("CITIZEN"), wrong)
			clock.Add(-day)
		}
		require.Error(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
		st, err := gate.Status(t.Context(), key("CITIZEN"))
		require.NoError(t, err)
		require.True(t, st.Hidden || st.Locked.Disabled, "jumps buy nothing beyond the ceiling")
	})
}

// TestReservationOfAWrongClock: a process whose clock was years ahead took a guess and died. That guess does not take up
// the limit for years.
func TestReservationOfAWrongClock(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked})
	clock.Add(3650 * day)
	mustHold(t, gate, key("CITIZEN"))
	mustHold(t, gate, key("CITIZEN"))
	clock.Add(-3650 * day)
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrBusy)
	clock.Add(lockout.MaxTimeout + lockout.SettleTime - 1)
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrBusy)
	clock.Add(1)
	asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
}

// TestQuotaOfAWrongClock: neither does what it took from a source's rate, or from everybody's.
func TestQuotaOfAWrongClock(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rates lockout.Policy
		scope lockout.Scope
	}{
		{"source", lockout.Policy{Source: civicpin.Rate{Limit: 4, Window: hour}}, lockout.ScopeSource},
		{"global", lockout.Policy{Global: civicpin.Rate{Limit: 4, Window: hour}}, lockout.ScopeGlobal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clock := newClock()
			tc.rates.Limit, tc.rates.Lock = 9, lockout.UntilUnlocked
			gate := newGate(t, memoryVault(t, clock.Now, nil), tc.rates)
			clock.Add(3650 * day)
			asRefused(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.1"), wrong))
			clock.Add(-3650 * day)
			locked := asLocked(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.1"), never(t)))
			require.Equal(t, tc.scope, locked.Scope)
			require.Equal(t, start.Add(15*minute), locked.Until.UTC(), "as if the window were full")
			clock.Add(15 * minute)
			require.NoError(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.1"), right))
		})
	}
}

// TestRecordDoesNotEndUnderAGuess: a record that says nothing goes after an hour, but not while it holds a guess in flight.
// If it did, guesses taken just before would never be counted, and as many more would be let in just after.
func TestRecordDoesNotEndUnderAGuess(t *testing.T) {
	type act struct {
		name string
		do   func(*testing.T, *lockout.Gate)
	}
	for _, before := range []act{
		{"after a success", func(t *testing.T, g *lockout.Gate) { require.NoError(t, g.Do(t.Context(), key("CITIZEN"), right)) }},
		{"after a refund", func(t *testing.T, g *lockout.Gate) {
			require.ErrorIs(t, g.Do(t.Context(), key("CITIZEN"), broken), errBroken)
		}},
		{"as a stranger", func(t *testing.T, g *lockout.Gate) {
			asRefused(t, g.Do(t.Context(), key("CITIZEN"), stranger))
		}},
	} {
		t.Run(before.name, func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 4, Lock: lockout.UntilUnlocked, Forget: hour,
			})
			before.do(t, gate)
			began := failures(t, gate, key("CITIZEN"))
			clock.Add(hour - second)
			all := holdAll(t, gate, key("CITIZEN"))
			require.Len(t, all, 4, "what a stranger failed an hour ago is forgotten, but for the ceiling")
			clock.Add(2 * second)
			require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrBusy)
			for _, h := range all {
				require.Error(t, h.end(false, nil))
			}
			require.Equal(t, 4+began, failures(t, gate, key("CITIZEN")))
			asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
		})
	}
}

// TestCrashedGuessesOfAStranger: reservations that became failures keep their lock as long as any stranger's.
func TestCrashedGuessesOfAStranger(t *testing.T) {
	for name, find := range map[string]func(*testing.T, *lockout.Gate, *held){
		"found by the next guess": func(t *testing.T, g *lockout.Gate, _ *held) {
			asLocked(t, g.Do(t.Context(), key("CITIZEN"), never(t)))
		},
		"found by the guess itself, given back too late": func(t *testing.T, _ *lockout.Gate, h *held) {
			require.ErrorIs(t, h.end(false, errBroken), errBroken)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 1, Lock: lockout.Timed, For: 20 * day, Forget: day,
			})
			h := mustHold(t, gate, key("CITIZEN"))
			clock.Add(23 * hour)
			find(t, gate, h)
			clock.Add(20*day + 45*second - 23*hour - 1)
			asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
			clock.Add(day)
			require.Equal(t, 1, failures(t, gate, key("CITIZEN")))
			clock.Add(1)
			require.Equal(t, 0, failures(t, gate, key("CITIZEN")))
		})
	}
}

// TestStricterPolicy: where a release brings a lower limit, what was counted under the old one locks; it does not leave
// the citizen with "try again in a moment" for ever.
func TestStricterPolicy(t *testing.T) {
	for _, tc := range []struct {
		name     string
		policy   lockout.Policy
		disabled bool
	}{
		{"until unlocked", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, false},
		{"timed", lockout.Policy{Limit: 3, Lock: lockout.Timed, For: minute}, false},
		{"ceiling", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Ceiling: 4}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clock := newClock()
			var events testkit.Recorder
			vault := memoryVault(t, clock.Now, &events)
			before := newGate(t, vault, lockout.Policy{Limit: 10, Lock: lockout.UntilUnlocked})
			for range 5 {
				asRefused(t, before.Do(t.Context(), key("CITIZEN"), wrong))
			}
			after := newGate(t, vault, tc.policy)
			st, err := after.Status(t.Context(), key("CITIZEN"))
			require.NoError(t, err)
			require.NotNil(t, st.Locked)
			locked := asLocked(t, after.Do(t.Context(), key("CITIZEN"), never(t)))
			require.Equal(t, tc.disabled, locked.Disabled)
			require.Len(t, codes(&events), 1)
			asLocked(t, after.Do(t.Context(), key("CITIZEN"), never(t)))
			require.Empty(t, codes(&events))
			switch {
			case tc.disabled:
				require.NoError(t, after.Rebind(t.Context(), key("CITIZEN"), operator))
			case tc.policy.Lock == lockout.Timed:
				clock.Add(minute)
			default:
				require.NoError(t, after.Unlock(t.Context(), key("CITIZEN"), operator))
			}
			require.NoError(t, after.Do(t.Context(), key("CITIZEN"), right))
		})
	}
}

// TestProcessesWithOtherClocks: gates whose clocks differ by seconds count together.
func TestProcessesWithOtherClocks(t *testing.T) {
	s := newMemory()
	clock := newClock()
	p := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * minute}
	var gates []*lockout.Gate
	for _, off := range []time.Duration{-3 * second, 0, 3 * second} {
		gates = append(gates, newGate(t, newVault(t, s, func() time.Time { return clock.Now().Add(off) }, nil), p))
	}
	for round := range 20 {
		subject := citizen(round)
		compared := 0
		for i := range 30 {
			clock.Add(second)
			if h, err := hold(t.Context(), gates[(i+round)%3], key(subject)); err == nil {
				compared++
				_ = h.end(false, nil)
			}
		}
		require.Equal(t, 5, compared)
	}
}
