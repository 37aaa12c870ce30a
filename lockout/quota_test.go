package lockout_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func newQuota(tb testing.TB, v *store.Vault, r civicpin.Rate) *lockout.Quota {
	tb.Helper()
	q, err := lockout.NewQuota(v, "messages", r)
	require.NoError(tb, err)
	return q
}

// TestQuotaConcurrent: exactly as many of a thousand at once as the limit, over two quotas of one name.
func TestQuotaConcurrent(t *testing.T) {
	vault := newVault(t, store.NewMemory(), newClock().Now, nil)
	quotas := []*lockout.Quota{
		newQuota(t, vault, civicpin.Rate{Limit: 30, Window: hour}), newQuota(t, vault, civicpin.Rate{Limit: 30, Window: hour}),
	}
	var let atomic.Int32
	for _, err := range crowd(1000, func(i int) error { return quotas[i%2].Take(t.Context(), store.Key{ID: "a"}) }) {
		if err == nil {
			let.Add(1)
		} else {
			require.Equal(t, start.Add(2*minute), asLocked(t, err).Until.UTC())
		}
	}
	require.EqualValues(t, 30, let.Load())
	require.NoError(t, quotas[0].Take(t.Context(), store.Key{ID: "b"}))
	require.NoError(t, quotas[0].Take(t.Context(), store.Key{Subject: "a"}))
}

// TestQuotaRefills: one more at each part of the window, and all of them after the whole.
func TestQuotaRefills(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	quota := newQuota(t, vault, civicpin.Rate{Limit: 4, Window: hour})
	k := store.Key{ID: "a"}
	burst := func() (n int) {
		for quota.Take(t.Context(), k) == nil {
			n++
		}
		return n
	}
	require.Equal(t, 4, burst())
	until := asLocked(t, quota.Take(t.Context(), k)).Until
	require.Equal(t, start.Add(15*minute), until.UTC())
	clock.Add(15*minute - 1)
	require.Equal(t, 0, burst())
	clock.Add(1)
	require.Equal(t, 1, burst())
	clock.Add(30 * minute)
	require.Equal(t, 2, burst())
	clock.Add(hour)
	require.Equal(t, 4, burst())
	clock.Add(100 * day)
	require.Equal(t, 4, burst(), "no more is saved up than the limit")

	require.Equal(t, 1, purgeAll(t, vault, memory))
	clock.Add(2 * hour)
	require.Zero(t, purgeAll(t, vault, memory), "the window and the grace")
}

// TestQuotaClockBack: a clock that jumps back refills nothing.
func TestQuotaClockBack(t *testing.T) {
	clock := newClock()
	quota := newQuota(t, newVault(t, store.NewMemory(), clock.Now, nil), civicpin.Rate{Limit: 2, Window: hour})
	for range 2 {
		require.NoError(t, quota.Take(t.Context(), store.Key{ID: "a"}))
	}
	clock.Add(-10 * minute)
	asLocked(t, quota.Take(t.Context(), store.Key{ID: "a"}))
	clock.Add(10 * minute)
	asLocked(t, quota.Take(t.Context(), store.Key{ID: "a"}))
}

// TestSourceRefund: right guesses and those that were not compared leave a source's share as it was, and no more than that.
func TestSourceRefund(t *testing.T) {
	clock := newClock()
	gate := newGate(t, newVault(t, store.NewMemory(), clock.Now, nil), lockout.Policy{
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
	gate := newGate(t, newVault(t, store.NewMemory(), newClock().Now, nil), lockout.Policy{
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
			gate := newGate(t, newVault(t, store.NewMemory(), clock.Now, &events), lockout.Policy{
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
			assert.Equal(t, lockout.EventSlowed, codes[0])
			clock.Add(hour)
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
		})
	}
	t.Run("right guesses do not count", func(t *testing.T) {
		gate := newGate(t, newVault(t, store.NewMemory(), newClock().Now, nil), lockout.Policy{
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

func TestQuotaNames(t *testing.T) {
	vault := newVault(t, store.NewMemory(), nil, nil)
	rate := civicpin.Rate{Limit: 1, Window: hour}
	for name, ok := range map[string]bool{
		"a": true, strings.Repeat("n", 50): true, "aZ09-_.": true, "source": true, "sends": true, "resends.x": true,
		"": false, strings.Repeat("n", 51): false, "a/b": false, "a b": false, "é": false,
		"source.login": false, "global.login": false, "sends.pin": false, "sends-to-address": false, // this package's own
	} {
		_, err := lockout.NewQuota(vault, name, rate)
		if ok {
			require.NoError(t, err, "%q", name)
		} else {
			require.ErrorIs(t, err, lockout.ErrPolicy, "%q", name)
		}
	}
	_, err := lockout.NewQuota(vault, "a", civicpin.Rate{})
	require.ErrorIs(t, err, lockout.ErrPolicy, "no rate is no quota")
	_, err = lockout.NewQuota(vault, "a", civicpin.Rate{Limit: -1, Window: hour})
	require.ErrorIs(t, err, lockout.ErrPolicy)
}

// TestQuotaStore: the calls are as documented, and a store that fails lets nothing through.
func TestQuotaStore(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	quota := newQuota(t, newVault(t, faults.Store(), newClock().Now, nil), civicpin.Rate{Limit: 2, Window: hour})
	k := store.Key{ID: "a"}
	faults.FailAt(1, storetest.NotDone)
	require.ErrorIs(t, quota.Take(t.Context(), k), storetest.ErrInjected)
	faults.Reset()
	require.NoError(t, quota.Take(t.Context(), k))
	require.Equal(t, 2, faults.Calls())
	faults.FailAt(2, storetest.DoneLater)
	require.ErrorIs(t, quota.Take(t.Context(), k), storetest.ErrInjected)
	faults.Deliver(t.Context())
	faults.Reset()
	asLocked(t, quota.Take(t.Context(), k)) // counted, as documented
	require.Equal(t, 1, faults.Calls())
}

func TestSourceKey(t *testing.T) {
	long := strings.Repeat("é", 200)
	for _, tc := range []struct{ address, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:c000:201", "192.0.2.1"},
		{"192.0.2.1:51234", "192.0.2.1"}, // http.Request.RemoteAddr has a port
		{"[::ffff:192.0.2.1]:51234", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"2001:DB8:1:2::", "2001:db8:1:2::/64"},
		{"2001:0db8:0001:0002::9", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"},
		{"2001:db8:1:3::9", "2001:db8:1:3::/64"},
		{"fe80::1%eth0", "fe80::/64"},
		{"fe80::2%eth1", "fe80::/64"},
		{"::ffff:192.0.2.1%eth0", "192.0.2.1"},
		{"::1", "::/64"},
		{"unix", "unix"},
		{"192.0.2.256", "192.0.2.256"},
		{"a\xffb", "a\uFFFDb"},
		{long, strings.Repeat("é", 128)},
		{"x" + long, "x" + strings.Repeat("é", 127) + "\uFFFD"}, // cut within a letter
	} {
		assert.Equal(t, tc.want, lockout.SourceID(tc.address), "%q", tc.address)
	}
}

// TestSourceOfAnyText: whatever a proxy hands on as an address is counted, and is the same source the next time.
func TestSourceOfAnyText(t *testing.T) {
	long := strings.Repeat("é", 999)
	for _, address := range []string{"\xff\xfe", long, "x" + long, "<b>&\u2028\x00", "%"} {
		gate := newGate(t, newVault(t, store.NewMemory(), newClock().Now, nil), lockout.Policy{
			Limit: 9, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 2, Window: hour},
		})
		asRefused(t, gate.Do(t.Context(), from("CITIZEN", address), wrong))
		asRefused(t, gate.Do(t.Context(), from("ANOTHER", address), wrong))
		require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), from("CITIZEN", address), never(t))).Scope)
	}
}

// FuzzSourceKey: no address makes a key that the store could not give back.
func FuzzSourceKey(f *testing.F) {
	for _, address := range []string{"192.0.2.1", "[::1]:80", "fe80::1%eth0", "\xff", strings.Repeat("é", 129)} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if address == "" {
			t.Skip("no source")
		}
		quota := newQuota(t, newVault(t, store.NewMemory(), newClock().Now, nil), civicpin.Rate{Limit: 1, Window: hour})
		k := store.Key{ID: lockout.SourceID(address)}
		require.NotEmpty(t, k.ID)
		require.LessOrEqual(t, len(k.ID), 3*256)
		require.NoError(t, quota.Take(t.Context(), k))
		asLocked(t, quota.Take(t.Context(), k))
	})
}
