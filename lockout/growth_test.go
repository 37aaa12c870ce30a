package lockout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// purgeAll removes what has run out and returns how many records are left.
func purgeAll(t *testing.T, v *store.Vault, m *store.Memory) (left int) {
	t.Helper()
	_, err := v.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	for item, err := range m.List(t.Context(), "", "") {
		require.NoError(t, err)
		if item.Key != "vault/canary" {
			left++
		}
	}
	return left
}

// TestStrangersFillNoStore: somebody invents 20,000 subjects. What they leave is bounded by Policy.Forget times the global
// rate, and goes.
func TestStrangersFillNoStore(t *testing.T) {
	const (
		invented = 20_000
		rate     = 60 // failures an hour
		forget   = 10 * hour
		interval = 12 * second // five times the rate
	)
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	gate := newGate(t, vault, lockout.Policy{
		Limit: 5, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: rate, Window: hour}, Forget: forget,
	})
	compared, most := 0, 0
	for i := range invented {
		err := gate.Do(t.Context(), key(civicpin.Subject(fmt.Sprint("INVENTED ", i))), stranger)
		if _, ok := err.(*lockout.RefusedError); ok {
			compared++
		}
		clock.Add(interval)
		if i%500 == 0 {
			most = max(most, purgeAll(t, vault, memory))
		}
	}
	elapsed := interval * invented
	assert.LessOrEqual(t, compared, rate+int(rate*elapsed/hour)+1)
	assert.Greater(t, compared, rate, "the rate let nothing through: the test shows nothing")
	// Forget, an hour's grace, the burst, and the record of the rate itself.
	assert.LessOrEqual(t, most, int((forget+hour)/hour)*rate+rate+1)
	assert.Greater(t, most, rate)

	clock.Add(forget + hour)
	assert.Zero(t, purgeAll(t, vault, memory))
}

// TestGivenBackFillNoStore: guesses at invented subjects that are given back leave their records an hour and the grace.
func TestGivenBackFillNoStore(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	gate := newGate(t, vault, lockout.Policy{
		Limit: 5, Lock: lockout.UntilUnlocked,
		Source: civicpin.Rate{Limit: 10, Window: hour}, Global: civicpin.Rate{Limit: 9, Window: hour},
	})
	for i := range 2000 {
		k := from(civicpin.Subject(fmt.Sprint("INVENTED ", i)), fmt.Sprint("192.0.2.", i%200))
		require.ErrorIs(t, gate.Do(t.Context(), k, broken), errBroken)
	}
	clock.Add(2 * hour)
	require.Zero(t, purgeAll(t, vault, memory))
}

// TestSizeOfState: the largest record that guesses can bring about, with as many in flight as the ceiling allows.
func TestSizeOfState(t *testing.T) {
	memory := store.NewMemory()
	gate := newGate(t, newVault(t, memory, newClock().Now, nil), lockout.Policy{
		Limit: lockout.MaxCeiling, Lock: lockout.Timed, For: 366 * day, DelayAfter: 100, Delay: day,
	})
	var all []*held
	for {
		h, err := hold(t.Context(), gate, key("CITIZEN"))
		if err != nil {
			require.ErrorIs(t, err, lockout.ErrBusy)
			break
		}
		all = append(all, h)
	}
	require.Len(t, all, lockout.MaxCeiling)
	size := func() (n int) {
		for item, err := range memory.List(t.Context(), "", "") {
			require.NoError(t, err)
			if item.Key != "vault/canary" {
				n += len(item.Value)
			}
		}
		return n
	}
	require.Less(t, size(), 12<<10)
	for _, h := range all {
		require.Error(t, h.end(false, nil))
	}
	require.Less(t, size(), 400)
	require.True(t, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Disabled)
}

// TestPurgeDuringVerification: purging takes no record away that holds a guess in flight.
func TestPurgeDuringVerification(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	gate := newGate(t, vault, lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked, Timeout: lockout.MaxTimeout})
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
	clock.Add(lockout.KeepEmpty - time.Second)
	h := mustHold(t, gate, key("CITIZEN"))
	clock.Add(lockout.MaxTimeout)
	require.Equal(t, 1, purgeAll(t, vault, memory))
	asLocked(t, h.end(false, nil))
}
