package lockout_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// TestSourceRefund: right guesses and those that were not compared leave a source's share as it was, and no more than that.
func TestSourceRefund(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
		Limit: 9, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 3, Window: hour},
	})
	who := from("CITIZEN", "192.0.2.1")
	for range 20 {
		require.NoError(t, gate.Do(t.Context(), who, right))
		require.ErrorIs(t, gate.Do(t.Context(), who, broken), errBroken)
	}
	asRefused(t, gate.Do(t.Context(), who, wrong))
	// An own account between two guesses at others' buys none of them back.
	require.NoError(t, gate.Do(t.Context(), from("OWN", "192.0.2.1"), right))
	asRefused(t, gate.Do(t.Context(), who, wrong))
	require.NoError(t, gate.Do(t.Context(), from("OWN", "192.0.2.1"), right))
	asRefused(t, gate.Do(t.Context(), who, wrong))
	require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), from("OWN", "192.0.2.1"), never(t))).Scope)
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right), "without an address, no limit by source")
	require.NoError(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.2"), right))
}

// TestRefundMeetsOthers: a share is given back also where others took theirs meanwhile.
func TestRefundMeetsOthers(t *testing.T) {
	gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
		Limit: 9, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 3, Window: hour},
	})
	a, b := mustHold(t, gate, from("A", "192.0.2.1")), mustHold(t, gate, from("B", "192.0.2.1"))
	c := mustHold(t, gate, from("C", "192.0.2.1"))
	asLocked(t, gate.Do(t.Context(), from("D", "192.0.2.1"), never(t)))
	require.NoError(t, a.end(true, nil))
	require.NoError(t, b.end(true, nil))
	asRefused(t, c.end(false, nil))
	for range 2 {
		asRefused(t, gate.Do(t.Context(), from("D", "192.0.2.1"), wrong))
	}
	asLocked(t, gate.Do(t.Context(), from("D", "192.0.2.1"), never(t)))
}

// TestGlobal: what everybody fails together is slowed, however many subjects and sources it is spread over.
func TestGlobal(t *testing.T) {
	for _, limit := range []int{20, 2000} { // in one part, and in sixteen
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			clock := newClock()
			var events testkit.Recorder
			gate := newGate(t, memoryVault(t, clock.Now, &events), lockout.Policy{
				Limit: 5, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: limit, Window: hour},
			})
			compared := 0
			var slowed error
			for i := range 3 * limit {
				k := from(civicpin.Subject(fmt.Sprint("CITIZEN ", i)), fmt.Sprint("192.0.2.", i%250))
				if err := gate.Do(t.Context(), k, wrong); asGlobal(err) {
					slowed = err
				} else {
					compared++
				}
			}
			assert.LessOrEqual(t, compared, limit)
			assert.GreaterOrEqual(t, compared, limit*9/10)
			assert.True(t, asLocked(t, slowed).Until.After(start))
			codes := codes(&events)
			require.NotEmpty(t, codes)
			assert.EqualValues(t, "lockout.slowed", codes[0])
			clock.Add(hour)
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
		})
	}
	t.Run("right guesses do not count", func(t *testing.T) {
		gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
			Limit: 5, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: 1, Window: hour},
		})
		for range 10 {
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
			require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), broken), errBroken)
		}
		asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		require.True(t, asGlobal(gate.Do(t.Context(), key("ANOTHER"), never(t))))
	})
}

func asGlobal(err error) bool {
	locked, ok := err.(*lockout.LockedError)
	return ok && locked.Scope == lockout.ScopeGlobal
}

// TestSourceOfAnyText: whatever a proxy hands on as an address is counted, and is the same source the next time.
func TestSourceOfAnyText(t *testing.T) {
	long := strings.Repeat("é", 999)
	for _, address := range []string{"\xff\xfe", long, "x" + long, "<b>&\u2028\x00", "%"} {
		gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
			Limit: 9, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 2, Window: hour},
		})
		asRefused(t, gate.Do(t.Context(), from("CITIZEN", address), wrong))
		asRefused(t, gate.Do(t.Context(), from("ANOTHER", address), wrong))
		require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), from("CITIZEN", address), never(t))).Scope)
	}
}
