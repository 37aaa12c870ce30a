package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
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

// TestFaults runs a short story with a fault at each store call in turn: the call is not done, or done and its answer
// lost, or done later; and the process goes on, or dies of it. Whatever happens, nothing is compared that was not
// reserved before, at most the limit is compared, and the citizen gets in at the latest after the deadline.
func TestFaults(t *testing.T) {
	policies := map[string]lockout.Policy{
		"plain": {Limit: 5, Lock: lockout.UntilUnlocked},
		"all limits": {
			Limit: 5, Lock: lockout.Timed, For: day,
			Source: civicpin.Rate{Limit: 50, Window: hour}, Global: civicpin.Rate{Limit: 50, Window: hour},
		},
	}
	outcomes := map[string]storetest.Outcome{
		"not done": storetest.NotDone, "reply lost": storetest.ReplyLost, "done later": storetest.DoneLater,
	}
	story := []func(context.Context) (bool, error){wrong, right, wrong, broken, wrong}
	for policyName, policy := range policies {
		for outcomeName, outcome := range outcomes {
			for _, dies := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, dies %t", policyName, outcomeName, dies), func(t *testing.T) {
					k := 1
					for ; storyWithFault(t, policy, story, k, outcome, dies); k++ {
						require.Less(t, k, 100)
					}
					require.Greater(t, k, 3*len(story), "too few calls were tried")
				})
			}
		}
	}
}

// storyWithFault plays the story with a fault at call k, and reports whether there was such a call.
func storyWithFault(
	t *testing.T, p lockout.Policy, story []func(context.Context) (bool, error), k int, o storetest.Outcome, dies bool,
) (reached bool) {
	clock := newClock()
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	gate := newGate(t, newVault(t, faults.Store(), clock.Now, nil), p)
	if dies {
		faults.StopAt(k, o)
	} else {
		faults.FailAt(k, o)
	}
	who := from("CITIZEN", "192.0.2.1")
	faulty := 0
	// inRow counts what was compared and not given back since the last right guess that was let in.
	inRow := 0
	for i, verify := range story {
		before := values(t, memory, "lockout.login/")
		err := gate.Do(t.Context(), who, func(ctx context.Context) (bool, error) {
			require.False(t, maps.Equal(before, values(t, memory, "lockout.login/")), "call %d: compared without a reservation", k)
			ok, err := verify(ctx)
			if err == nil {
				inRow++
			}
			return ok, err
		})
		if errors.Is(err, storetest.ErrInjected) {
			faulty++
		}
		switch ok, failed := verify(t.Context()); {
		case ok && err == nil:
			inRow = 0
		case ok:
			require.ErrorIs(t, err, storetest.ErrInjected, "call %d, guess %d: a right guess is refused for that only", k, i)
		case failed != nil:
			require.Error(t, err)
		default:
			require.Error(t, err, "call %d, guess %d: a wrong guess was let in", k, i)
		}
	}
	reached = faults.Calls() >= k
	if !dies && reached {
		require.LessOrEqual(t, faulty, 1)
	}
	faults.Deliver(t.Context())
	faults.Reset()

	// The process is started anew. The citizen gets in, now or when the reservation has run out.
	gate = newGate(t, newVault(t, faults.Store(), clock.Now, nil), p)
	err := gate.Do(t.Context(), who, right)
	if err != nil {
		require.ErrorIs(t, err, lockout.ErrBusy, "call %d", k)
		clock.Add(45 * second)
		err = gate.Do(t.Context(), who, right)
	}
	require.NoError(t, err, "call %d", k)

	// And where an attacker goes on instead, all in all no more than the limit is compared.
	storyGate := newGate(t, newVault(t, memory, clock.Now, nil), p)
	require.NoError(t, storyGate.Rebind(t.Context(), key("ATTACKED"), operator))
	faults.Reset()
	gate = newGate(t, newVault(t, faults.Store(), clock.Now, nil), p)
	faults.FailAt(k, o)
	compared := 0
	for range 12 {
		err := gate.Do(t.Context(), from("ATTACKED", "192.0.2.2"), func(context.Context) (bool, error) {
			compared++
			return false, nil
		})
		require.Error(t, err)
		faults.Deliver(t.Context())
		if errors.Is(err, lockout.ErrBusy) {
			clock.Add(45 * second)
		}
	}
	assert.LessOrEqual(t, compared, p.Limit, "call %d", k)
	assert.GreaterOrEqual(t, compared, p.Limit-1, "call %d: a fault costs one guess at most", k)
	asLocked(t, gate.Do(t.Context(), key("ATTACKED"), never(t)))
	return reached
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
