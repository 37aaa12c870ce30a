package lockout_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// values returns the sealed values of the records whose key begins with prefix.
func values(tb testing.TB, s *store.Memory, prefix string) map[string]string {
	tb.Helper()
	all := make(map[string]string)
	for item, err := range s.List(context.Background(), prefix, "") {
		require.NoError(tb, err)
		all[item.Key] = string(item.Value)
	}
	return all
}

// faultPolicies are those under which store calls go wrong.
func faultPolicies() map[string]lockout.Policy {
	return map[string]lockout.Policy{
		"plain": {Limit: 5, Lock: lockout.UntilUnlocked},
		"all limits": {
			Limit: 5, Lock: lockout.Timed, For: day,
			Source: civicpin.Rate{Limit: 50, Window: hour}, Global: civicpin.Rate{Limit: 50, Window: hour},
		},
	}
}

// TestFaults runs a short story with a fault at each store call in turn. Whatever happens, nothing is compared that was not
// reserved before, and the citizen gets in at the latest after the deadline.
func TestFaults(t *testing.T) {
	story := []func(context.Context) (bool, error){wrong, right, wrong, broken, wrong}
	for name, policy := range faultPolicies() {
		t.Run(name, func(t *testing.T) {
			calls := testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
				clock := newClock()
				gate := newGate(t, newVault(t, c.Store(), clock.Now, nil), policy)
				who := from("CITIZEN", "192.0.2.1")
				faulty := 0
				_ = c.During(t, func() (last error) {
					for _, verify := range story {
						if last = reservedGuess(t, c, gate, who, verify); errors.Is(last, storetest.ErrInjected) {
							faulty++
						}
					}
					return last
				})
				if !c.Stop {
					require.LessOrEqual(t, faulty, 1)
				}
				// The process is started anew. The citizen gets in, now or when the reservation has run out.
				gate = newGate(t, newVault(t, c.Memory, clock.Now, nil), policy)
				err := gate.Do(t.Context(), who, right)
				if err != nil {
					require.ErrorIs(t, err, lockout.ErrBusy)
					clock.Add(45 * second)
					err = gate.Do(t.Context(), who, right)
				}
				require.NoError(t, err)
			})
			require.GreaterOrEqual(t, calls, 3*len(story), "too few calls were tried")
		})
	}
}

// reservedGuess does one guess, and fails the test if it is compared without a reservation, or if its outcome is not what
// verify says.
func reservedGuess(
	t *testing.T, c *testkit.Crash, gate *lockout.Gate, who lockout.Target, verify func(context.Context) (bool, error),
) error {
	before := values(t, c.Memory, "lockout.login/")
	err := gate.Do(t.Context(), who, func(ctx context.Context) (bool, error) {
		require.False(t, maps.Equal(before, values(t, c.Memory, "lockout.login/")), "compared without a reservation")
		return verify(ctx)
	})
	switch ok, failed := verify(t.Context()); {
	case ok && err != nil:
		require.ErrorIs(t, err, storetest.ErrInjected, "a right guess is refused for that only")
	case failed != nil:
		require.Error(t, err)
	case !ok:
		require.Error(t, err, "a wrong guess was let in")
	}
	return err
}

// TestFaultsUnderAttack has an attacker guess on and on while a store call goes wrong, and afterwards: all in all no more than
// the limit is compared, and a fault costs one guess at most.
func TestFaultsUnderAttack(t *testing.T) {
	for name, policy := range faultPolicies() {
		t.Run(name, func(t *testing.T) {
			testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
				clock := newClock()
				compared := 0
				attack := func(gate *lockout.Gate) (last error) {
					for range 12 {
						last = gate.Do(t.Context(), from("ATTACKED", "192.0.2.2"), func(context.Context) (bool, error) {
							compared++
							return false, nil
						})
						require.Error(t, last)
						c.Faults.Deliver(t.Context())
						if errors.Is(last, lockout.ErrBusy) {
							clock.Add(45 * second)
						}
					}
					return last
				}
				gate := newGate(t, newVault(t, c.Store(), clock.Now, nil), policy)
				_ = c.During(t, func() error { return attack(gate) })
				gate = newGate(t, newVault(t, c.Memory, clock.Now, nil), policy)
				if c.Stop {
					_ = attack(gate)
				}
				require.LessOrEqual(t, compared, policy.Limit)
				require.GreaterOrEqual(t, compared, policy.Limit-1)
				asLocked(t, gate.Do(t.Context(), key("ATTACKED"), never(t)))
			})
		})
	}
}

// TestSettleFails: whatever the outcome, if it cannot be stored the caller is told the store's error and nobody gets in.
func TestSettleFails(t *testing.T) {
	for name, verify := range map[string]func(context.Context) (bool, error){
		"right": right, "wrong": wrong, "stranger": stranger, "broken": broken,
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			faults := storetest.NewFaults(store.NewMemory())
			gate := newGate(t, newVault(t, faults.Store(), clock.Now, nil), lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
			faults.StopAt(3, storetest.NotDone)
			err := gate.Do(t.Context(), key("CITIZEN"), verify)
			require.ErrorIs(t, err, storetest.ErrInjected)
			require.NotErrorIs(t, err, lockout.ErrRefused)
			if name == "broken" {
				require.ErrorIs(t, err, errBroken, "both causes are told")
			}
			faults.Reset()
			require.Equal(t, 0, failures(t, gate, key("CITIZEN")))
			clock.Add(45 * second)
			require.Equal(t, 1, failures(t, gate, key("CITIZEN")))
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
		})
	}
}

// TestRefundFails: that a source's share could not be given back keeps nobody out.
func TestRefundFails(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), lockout.Policy{
		Limit: 3, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 2, Window: hour},
	})
	who := from("CITIZEN", "192.0.2.1")
	faults.StopAt(6, storetest.NotDone)
	require.NoError(t, gate.Do(t.Context(), who, right))
	require.Greater(t, faults.Calls(), 5, "the refund was tried")
	faults.Reset()
	asRefused(t, gate.Do(t.Context(), who, wrong))
	require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), who, never(t))).Scope, "it stays counted")
}

// TestUnreadableRecord: a record that does not open lets nobody in, and is not taken for one that is not there.
func TestUnreadableRecord(t *testing.T) {
	memory := store.NewMemory()
	gate := newGate(t, newVault(t, memory, nil, nil), lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
	asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
	for item, err := range memory.List(t.Context(), "", "") {
		require.NoError(t, err)
		item.Value[len(item.Value)-1] ^= 1
		_, err = memory.Put(t.Context(), item.Key, item.Record)
		require.NoError(t, err)
	}
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), store.ErrUnreadable)
	require.ErrorIs(t, gate.Unlock(t.Context(), key("CITIZEN"), operator), store.ErrUnreadable)
	_, err := gate.Status(t.Context(), key("CITIZEN"))
	require.ErrorIs(t, err, store.ErrUnreadable)
}

// Citizens and strangers cannot be told apart by what Do returns.
func TestWhatIsTold(t *testing.T) {
	gate := newGate(t, newVault(t, store.NewMemory(), newClock().Now, nil), lockout.Policy{
		Limit: 4, Lock: lockout.Timed, For: hour, DelayAfter: 3, Delay: second,
	})
	for range 6 {
		a := gate.Do(t.Context(), key("CITIZEN"), wrong)
		b := gate.Do(t.Context(), key("STRANGER"), stranger)
		require.Equal(t, a, b)
		require.False(t, strings.Contains(a.Error(), "CITIZEN"))
	}
}
