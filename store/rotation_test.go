package store_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// underKeys counts the records under each sealing key.
func underKeys(t *testing.T, s store.Lister) map[string]int {
	t.Helper()
	n := make(map[string]int)
	for _, item := range raw(t, s) {
		n[string(item.Value[2:2+item.Value[1]])]++
	}
	return n
}

// rotate has a vault over a store go from k1 to k2, to the end of docs/keys.md's step 3.
func rotate(t *testing.T, s store.Store) {
	t.Helper()
	v := newVault(t, s, sealing(t, "k2", "k1"), nil)
	for range 2 {
		_, err := v.Reseal(t.Context(), store.Pass{})
		require.NoError(t, err)
	}
}

// TestResealUnderAnOldOrder: k1 is the older key. A process with k1 in front still, or again, does not take k2 out of
// the canary, and seals nothing anew under k1, whenever the process started.
func TestResealUnderAnOldOrder(t *testing.T) {
	older, newer := sealing(t, "k1", "k2"), sealing(t, "k2", "k1")
	full := func(keys ...store.Keys) *store.Memory {
		m := store.NewMemory()
		for i, k := range keys {
			k := kindOf[account](t, newVault(t, blind{m}, k, adopting), "account")
			put(t, k, store.Key{ID: fmt.Sprint(i)}, account{N: i})
		}
		return m
	}
	adopt := func(m store.Store, keys store.Keys) { newVault(t, m, keys, &store.Options{Adopt: true}) }
	for name, c := range map[string]struct {
		start   func() *store.Memory // up to a moment in which a process with the older order may start
		promote func(store.Store)
		refused bool // the older order does not start any more
		left    []string
	}{
		"promoted": {
			func() *store.Memory { m := full(older); adopt(m, sealing(t, "k1")); return m },
			func(m store.Store) { newVault(t, m, newer, nil) },
			false,
			[]string{"k1", "k2"},
		},
		"retired": {
			func() *store.Memory { m := full(older); adopt(m, sealing(t, "k1")); return m },
			func(m store.Store) { rotate(t, m) },
			true,
			[]string{"k2"},
		},
		"adopted before": {
			func() *store.Memory { m := full(older, newer); adopt(m, older); return m },
			func(m store.Store) { newVault(t, m, newer, nil) },
			false,
			[]string{"k1", "k2"},
		},
		"adopted after": {
			func() *store.Memory { m := full(older, newer); adopt(m, newer); return m },
			func(m store.Store) { newVault(t, m, newer, nil) },
			false,
			[]string{"k2", "k1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := c.start()
			vaults := []*store.Vault{newVault(t, m, older, nil)}
			c.promote(m)
			put(t, kindOf[account](t, newVault(t, m, newer, nil), "account"), store.Key{ID: "new"}, account{N: 1})
			if c.refused {
				_, err := store.OpenVault(t.Context(), m, older, nil)
				require.ErrorIs(t, err, store.ErrOldKey)
				require.ErrorContains(t, err, "k1 was retired: copy the present key file to this machine")
			} else {
				vaults = append(vaults, newVault(t, m, older, nil))
			}
			before := underKeys(t, m)
			for _, v := range vaults {
				for _, p := range []store.Pass{{}, {}, {Max: 9}, {After: "a"}} {
					at, err := v.Reseal(t.Context(), p)
					require.ErrorIs(t, err, store.ErrOldKey)
					require.ErrorContains(t, err, "copy the present key file to this machine")
					require.Equal(t, store.Progress{Last: p.After}, at)
				}
			}
			assert.Equal(t, before, underKeys(t, m))
			assert.Equal(t, c.left, canaryIDs(t, m))
			assert.Equal(t, []string{"k2"}, misfit(t, m, sealing(t, "k1")).Missing)

			// A key that came after both retires both.
			v := newVault(t, m, sealing(t, "k3", "k1", "k2"), nil)
			for range 2 {
				_, err := v.Reseal(t.Context(), store.Pass{})
				require.NoError(t, err)
			}
			assert.Equal(t, []string{"k3"}, canaryIDs(t, m))
			assert.Equal(t, []string{"k3"}, slicesOf(underKeys(t, m)))
			newVault(t, m, sealing(t, "k3"), nil)
		})
	}
}

func slicesOf(m map[string]int) (keys []string) {
	for k := range maps.Keys(m) {
		keys = append(keys, k)
	}
	return keys
}

// TestResealOverALostCanary: a store that may lose its canary gets a new one, perhaps from a process with the old order. Only
// the order counts that a store remembers which does not forget.
func TestResealOverALostCanary(t *testing.T) {
	main, limits := newLasting(), lossy{store.NewMemory()}
	r := besides(t, main, limits)
	newVault(t, r, sealing(t, "k1"), nil)
	v := newVault(t, r, sealing(t, "k2", "k1"), nil)
	copyAll(t, limits, nil)
	newVault(t, r, sealing(t, "k2", "k1"), nil)
	older := newVault(t, r, sealing(t, "k1", "k2"), nil)
	assert.Equal(t, []string{"k2", "k1"}, canaryIDs(t, limits))
	_, err := older.Reseal(t.Context(), store.Pass{})
	require.ErrorIs(t, err, store.ErrOldKey)
	_, err = v.Reseal(t.Context(), store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, []string{"k2"}, canaryIDs(t, main))
	newVault(t, r, sealing(t, "k2"), nil)
	assert.Equal(t, []string{"k2"}, canaryIDs(t, limits), "the start mends the canary")

	// Lost for good: Reseal makes the canary anew.
	copyAll(t, limits, nil)
	_, err = v.Reseal(t.Context(), store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, []string{"k2"}, canaryIDs(t, limits))
	rec, err := main.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	require.NoError(t, main.Delete(t.Context(), canaryKey, rec.Version))
	overwrite(t, main, "other/table", []byte("junk"))
	_, err = v.Reseal(t.Context(), store.Pass{})
	require.ErrorIs(t, err, store.ErrNoCanary, "an attacker may have deleted it")
}

// TestResealOvertakenByAKey: a process with the old order is at it while another comes with the new one.
func TestResealOvertakenByAKey(t *testing.T) {
	m := store.NewMemory()
	put(t, accounts(t, m), store.Key{ID: "0"}, account{N: 1})
	older := newVault(t, m, sealing(t, "k1", "k2"), nil)
	_, err := older.Reseal(t.Context(), store.Pass{Progress: func(store.Progress) {
		newer := newVault(t, m, sealing(t, "k2", "k1"), nil)
		put(t, kindOf[account](t, newer, "account"), store.Key{ID: "0"}, account{N: 2})
	}})
	require.NoError(t, err)
	assert.Equal(t, []string{"k1", "k2"}, canaryIDs(t, m))
	_, err = older.Reseal(t.Context(), store.Pass{})
	require.ErrorIs(t, err, store.ErrOldKey)
	rotate(t, m)
	newVault(t, m, sealing(t, "k2"), nil)
}

// TestResealEntersItsKey: if a running process finds a canary of before, Reseal enters the key in front before it seals
// anything, and so never leaves a canary without a key.
func TestResealEntersItsKey(t *testing.T) {
	m := store.NewMemory()
	put(t, accounts(t, m), store.Key{ID: "0"}, account{N: 1})
	backup := stored(t, m)
	v := newVault(t, m, sealing(t, "k2", "k1"), nil)
	copyAll(t, m, backup)
	at, err := v.Reseal(t.Context(), store.Pass{Max: 1})
	require.NoError(t, err)
	assert.Equal(t, 1, at.Changed)
	assert.Equal(t, []string{"k1", "k2"}, canaryIDs(t, m))
	_, err = v.Reseal(t.Context(), store.Pass{Progress: func(store.Progress) { overwrite(t, m, canaryKey, backup[1].Value) }})
	require.NoError(t, err)
	assert.Equal(t, []string{"k1"}, canaryIDs(t, m), "the canary of before came back during the walk")
	_, err = v.Reseal(t.Context(), store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, []string{"k2"}, canaryIDs(t, m))
	newVault(t, m, sealing(t, "k2"), nil)
}

// TestRetiredKey: the canary remembers a key that was retired. The key may stay behind, under its own bytes only.
func TestRetiredKey(t *testing.T) {
	m := store.NewMemory()
	accounts(t, m)
	rotate(t, m)
	reused := sealing(t, "k2", "k1")
	reused.Sealing[1].Sealer = sealing(t, "k7").Sealing[0].Sealer
	assert.Equal(t, store.KeysError{Other: []string{"k1"}}, misfit(t, m, reused))
	dead := sealing(t, "k2", "k1")
	dead.Sealing[1].Sealer = &deadSealer{err: storetest.ErrInjected}
	newVault(t, m, dead, nil)
	newVault(t, m, sealing(t, "k2", "k1"), nil)
	newVault(t, m, sealing(t, "k2"), nil)
}

// countingSealer counts what it opens.
type countingSealer struct {
	store.Sealer
	opened int
}

func (s *countingSealer) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	s.opened++
	return s.Sealer.Open(ctx, sealed, associated)
}

// TestOpenVaultWork: a store is looked at once, and of a store that is adopted no record is opened twice.
func TestOpenVaultWork(t *testing.T) {
	filled := func(records int) func(store.Store) {
		return func(s store.Store) {
			v := newVault(t, blind{s}, sealing(t, "k1"), adopting)
			for i := range records {
				put(t, kindOf[account](t, v, "account"), store.Key{ID: fmt.Sprint(i)}, account{N: i})
			}
		}
	}
	for name, c := range map[string]struct {
		before        func(store.Store)
		ids           []string
		calls, opened int
	}{
		"a new store":          {func(store.Store) {}, []string{"k1"}, 3, 0},
		"a known key":          {func(s store.Store) { accounts(t, s) }, []string{"k1"}, 1, 1},
		"a new key in front":   {func(s store.Store) { accounts(t, s) }, []string{"k2", "k1"}, 2, 0},
		"adopted, few records": {filled(7), []string{"k1"}, 4, 7},
		"adopted, many":        {filled(150), []string{"k1"}, 4, 100},
	} {
		faults := storetest.NewFaults(store.NewMemory())
		c.before(faults.Store())
		faults.Reset()
		keys := sealing(t, c.ids...)
		counting := &countingSealer{Sealer: keys.Sealing[0].Sealer}
		keys.Sealing[0].Sealer = counting
		newVault(t, faults.Store(), keys, &store.Options{Adopt: true})
		assert.Equal(t, c.calls, faults.Calls(), name)
		assert.Equal(t, c.opened, counting.opened, name)
	}
}
