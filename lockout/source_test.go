package lockout_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// ready returns a gate with the rates of the ready policies.
func ready(tb testing.TB, clock *testkit.Clock) *lockout.Gate {
	tb.Helper()
	return newGate(tb, memoryVault(tb, clock.Now, nil), lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}.WithRates())
}

// spray guesses once at each of so many unknown subjects, and counts what is compared. It returns the last refusal.
func spray(tb testing.TB, gate *lockout.Gate, first, n int, source func(int) civicpin.Source) (compared int, refused error) {
	tb.Helper()
	for i := range n {
		err := gate.Do(tb.Context(), lockout.Target{Subject: citizen(first + i), Source: source(i)}, stranger)
		if errors.Is(err, lockout.ErrRefused) {
			compared++
		} else {
			refused = err
		}
	}
	return compared, refused
}

// constant is one address for all.
func constant(s civicpin.Source) func(int) civicpin.Source {
	return func(int) civicpin.Source { return s }
}

// TestSpray: one source fails at so many different subjects, and at four times as many behind a challenge, whatever part of its
// addresses it uses.
func TestSpray(t *testing.T) {
	for name, tc := range map[string]struct {
		source                func(int) string
		open, challenged, day int
	}{
		"a host":           {func(int) string { return "192.0.2.1" }, 30, 120, 100},
		"a /64 network":    {func(i int) string { return fmt.Sprintf("2001:db8::%x", i+1) }, 10, 40, 100},
		"a /48 network":    {func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i) }, 100, 400, 1000},
		"a host by NAT64":  {func(int) string { return "64:ff9b::192.0.2.1" }, 30, 120, 100},
		"two /48 networks": {func(i int) string { return fmt.Sprintf("2001:db8:%d:%x::1", i%2, i) }, 200, 800, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			gate := ready(t, clock)
			from := func(challenged bool) func(int) civicpin.Source {
				return func(i int) civicpin.Source { return civicpin.Source{Address: tc.source(i), Challenged: challenged} }
			}
			compared, refused := spray(t, gate, 0, tc.challenged+50, from(false))
			require.Equal(t, tc.open, compared)
			require.ErrorIs(t, refused, lockout.ErrChallenge)
			locked := asLocked(t, refused)
			require.Equal(t, lockout.ScopeSource, locked.Scope)
			require.Equal(t, start.Add(hour), locked.Until.UTC())
			more, refused := spray(t, gate, 10_000, tc.challenged+50, from(true))
			require.Equal(t, tc.challenged, compared+more)
			require.NotErrorIs(t, refused, lockout.ErrChallenge)
			require.Equal(t, lockout.ScopeSource, asLocked(t, refused).Scope)
			_, refused = spray(t, gate, 20_000, 1, from(false))
			require.NotErrorIs(t, refused, lockout.ErrChallenge, "one would not help")

			clock.Add(24 * hour)
			total := 0
			for i := range 24 {
				more, _ := spray(t, gate, 30_000+1000*i, tc.open+10, from(false))
				total += more
				clock.Add(hour)
			}
			require.Equal(t, tc.day, total, "in a day")
		})
	}
}

// TestAClassIsNoSpray: thirty pupils behind one address mistype once each, and then get in; and one of them may do so all day.
func TestAClassIsNoSpray(t *testing.T) {
	gate := ready(t, newClock())
	compared, _ := spray(t, gate, 0, 30, constant(civicpin.Source{Address: "192.0.2.1"}))
	require.Equal(t, 30, compared)
	for i := range 30 {
		require.NoError(t, gate.Do(t.Context(), from(citizen(i), "192.0.2.1"), right))
	}
	for range 200 {
		require.NoError(t, gate.Do(t.Context(), from(citizen(1), "192.0.2.1"), right))
	}
	asLocked(t, gate.Do(t.Context(), from(citizen(31), "192.0.2.1"), never(t)))
}

// TestConcurrentSpray: many at once get no further than one after the other, also if some are right; what is right is given back,
// and makes no room for more than itself.
func TestConcurrentSpray(t *testing.T) {
	gate := ready(t, newClock())
	own := func() error { return gate.Do(t.Context(), from("OWN", "192.0.2.1"), right) }
	results := testkit.Crowd(600, func(i int) error {
		if i%3 == 0 {
			return own()
		}
		return gate.Do(t.Context(), from(citizen(i), "192.0.2.1"), wrong)
	})
	failed := 0
	for i, err := range results {
		switch {
		case errors.Is(err, lockout.ErrRefused):
			failed++
		case i%3 == 0 && err == nil, errors.Is(err, lockout.ErrBusy):
		default:
			require.Equal(t, lockout.ScopeSource, asLocked(t, err).Scope)
		}
	}
	require.LessOrEqual(t, failed, 30)
	require.Greater(t, failed, 20)
	for range 50 { // an account of the attacker's own resets nothing
		_ = own()
	}
	more, _ := spray(t, gate, 10_000, 100, constant(civicpin.Source{Address: "192.0.2.1"}))
	require.Equal(t, 30, failed+more)
}

// TestSprayTellsNothing: a source over its limit is refused alike at known and unknown subjects, locked or not.
func TestSprayTellsNothing(t *testing.T) {
	clock := newClock()
	gate := ready(t, clock)
	asRefused(t, gate.Do(t.Context(), key("KNOWN"), wrong))
	require.NoError(t, gate.Lock(t.Context(), key("LOCKED"), operator))
	spray(t, gate, 0, 30, constant(civicpin.Source{Address: "192.0.2.1"}))
	want := gate.Do(t.Context(), from("UNKNOWN", "192.0.2.1"), never(t))
	for _, subject := range []civicpin.Subject{"KNOWN", "LOCKED"} {
		require.Equal(t, want, gate.Do(t.Context(), from(subject, "192.0.2.1"), never(t)))
	}
}

// TestSourceAfterClockJumps: a process whose clock is a day behind shortens no count, and one that is years ahead leaves none
// that lasts.
func TestSourceAfterClockJumps(t *testing.T) {
	clock := newClock()
	gate := ready(t, clock)
	here := constant(civicpin.Source{Address: "192.0.2.1"})
	compared, _ := spray(t, gate, 0, 100, here)
	require.Equal(t, 30, compared)
	clock.Add(-23 * hour)
	compared, _ = spray(t, gate, 1000, 100, here)
	require.Zero(t, compared)
	clock.Add(23 * hour)
	compared, _ = spray(t, gate, 1000, 100, here)
	require.Zero(t, compared)
	clock.Add(3650 * day)
	compared, _ = spray(t, gate, 1000, 100, here)
	require.Equal(t, 30, compared)
	clock.Add(-3650 * day)
	compared, _ = spray(t, gate, 2000, 100, here)
	require.Zero(t, compared)
	clock.Add(hour)
	compared, _ = spray(t, gate, 2000, 100, here)
	require.Equal(t, 30, compared)
}

// TestOutageIsNoFailure: a guess that is not compared, since the store fails while the subject's count is read or written, is
// no failure of its source.
func TestOutageIsNoFailure(t *testing.T) {
	here := constant(civicpin.Source{Address: "192.0.2.1"})
	for fails, outcome := range map[string]storetest.Outcome{
		storetest.Get: storetest.NotDone, storetest.Put: storetest.DoneLater,
	} {
		faults := storetest.NewFaults(store.NewMemory())
		policy := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Source: lockout.Policy{}.WithRates().Source}
		gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), policy)
		compared, _ := spray(t, gate, 0, 1, here)
		require.Equal(t, 1, compared)
		for i := range 40 {
			faults.FailAt(2, outcome, fails) // the first is of the source's record
			require.ErrorIs(t, gate.Do(t.Context(), from(citizen(100+i), "192.0.2.1"), never(t)), storetest.ErrInjected)
		}
		compared, _ = spray(t, gate, 1000, 100, here)
		require.Equal(t, 29, compared)
	}
}

// TestADayBehindChallenges: an attacker at the owner's address who passes challenges keeps an owner without a known device out
// for the rest of a day, and no longer; another address is not concerned.
func TestADayBehindChallenges(t *testing.T) {
	clock := newClock()
	gate := ready(t, clock)
	here := civicpin.Source{Address: "192.0.2.1", Challenged: true}
	failed := 0
	for i := range 4 {
		compared, _ := spray(t, gate, 1000*i, 150, constant(here))
		failed += compared
		clock.Add(hour)
	}
	require.Equal(t, 400, failed)
	locked := asLocked(t, gate.Do(t.Context(), lockout.Target{Subject: "OWNER", Source: here}, never(t)))
	require.False(t, locked.Challenge)
	require.Equal(t, start.Add(day), locked.Until.UTC())
	require.NoError(t, gate.Do(t.Context(), from("OWNER", "192.0.2.2"), right))
	clock.Add(20 * hour)
	require.NoError(t, gate.Do(t.Context(), lockout.Target{Subject: "OWNER", Source: here}, right))
}

// TestWithRates: the rates of the ready policies are those of the documentation. A policy's own rates stay.
func TestWithRates(t *testing.T) {
	const v4, v6, wide = 100, 30, 300 // failures in an hour
	own := lockout.Policy{Source: failing(1), Global: civicpin.Rate{Limit: 2, Window: hour}}
	require.Equal(t, own, own.WithRates())
	require.Equal(t, lockout.Policy{
		Source: lockout.SourceLimits{
			Host:  lockout.SourceLimit{Subjects: 30, SubjectsDay: 100, Failures: v4},
			Net64: lockout.SourceLimit{Subjects: 10, SubjectsDay: 100, Failures: v6},
			Net48: lockout.SourceLimit{Subjects: 100, SubjectsDay: 1000, Failures: wide},
		},
		Global: civicpin.Rate{Limit: 20_000, Window: hour},
	}, lockout.Policy{}.WithRates())
}
