package store_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// TestRestoredBackup: a database from before the end of a rotation is refused until the key of that time is back.
func TestRestoredBackup(t *testing.T) {
	key := store.Key{Subject: rossi}
	for name, before := range map[string]func(s store.Store){
		"before the rotation": func(store.Store) {},
		"after step 2":        func(s store.Store) { newVault(t, s, sealing(t, "k2", "k1"), nil) },
		"amid step 3": func(s store.Store) {
			_, err := newVault(t, s, sealing(t, "k2", "k1"), nil).Reseal(t.Context(), store.Pass{Max: 1})
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLasting()
			k := accounts(t, s)
			put(t, k, key, account{N: 1})
			put(t, k, store.Key{ID: "other"}, account{N: 2})
			before(s)
			backup := stored(t, s)
			rotate(t, s)
			newVault(t, s, sealing(t, "k2"), nil)

			copyAll(t, s, backup)
			assert.Equal(t, store.KeysError{Missing: []string{"k1"}}, misfit(t, s, sealing(t, "k2")))
			v := newVault(t, s, sealing(t, "k2", "k1"), nil)
			e, err := kindOf[account](t, v, "account").Get(t.Context(), key)
			require.NoError(t, err)
			assert.Equal(t, 1, e.Value.N)
			rotate(t, s)
			newVault(t, s, sealing(t, "k2"), nil)
		})
	}
}

// TestForgetfulMemberGoesBack: a store that may lose writes comes back with the canary of before. Where the key that the canary
// names was retired, and seals nothing, the start mends the canary. Otherwise the start is refused.
func TestForgetfulMemberGoesBack(t *testing.T) {
	type world struct{ main, limits store.Lister }
	quota := store.Key{Subject: rossi}
	missing := func(ids ...string) *store.KeysError { return &store.KeysError{Missing: ids} }
	for name, c := range map[string]struct {
		record bool             // a record is there that only the old key opens
		bare   bool             // the store cannot list
		before func(world)      // after the rotation, before the start
		keys   store.Keys       // of the start
		want   *store.KeysError // nil: the start succeeds
		left   []string         // of the limits' canary afterwards
	}{
		"no record":      {keys: sealing(t, "k2"), left: []string{"k2"}},
		"a record":       {record: true, keys: sealing(t, "k2"), want: missing("k1"), left: []string{"k1"}},
		"with the key":   {record: true, keys: sealing(t, "k2", "k1"), left: []string{"k1", "k2"}},
		"it cannot list": {bare: true, keys: sealing(t, "k2"), want: missing("k1"), left: []string{"k1"}},
		"an old file":    {keys: sealing(t, "k1"), want: missing("k2"), left: []string{"k1"}},
		"another index key": {
			keys: otherIndex(t, "k2"), want: &store.KeysError{Index: true, Missing: []string{"k1"}}, left: []string{"k1"},
		},
		"a changed canary": {
			before: func(w world) {
				r, err := w.limits.Get(t.Context(), canaryKey)
				require.NoError(t, err)
				overwrite(t, w.limits, canaryKey, bytes.Replace(r.Value, []byte(`"key":`), []byte(`"rank":3,"key":`), 1))
			},
			keys: sealing(t, "k2"), want: missing("k1"), left: []string{"k1"},
		},
		"main went back too": {
			before: func(w world) { copyAll(t, w.main, nil) },
			keys:   sealing(t, "k2"), want: missing("k1"), left: []string{"k1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{newLasting(), lossy{store.NewMemory()}}
			var limits store.Store = w.limits
			if c.bare {
				limits = forgetting{struct{ store.Store }{w.limits}}
			}
			open := func(limits store.Store) store.Store { return besides(t, w.main, limits) }
			v := newVault(t, open(w.limits), sealing(t, "k1"), nil)
			put(t, kindOf[account](t, v, "account"), quota, account{N: 1})
			if c.record {
				put(t, kindOf[account](t, v, "quota.x"), quota, account{N: 1})
			}
			backup := stored(t, w.limits)
			rotate(t, open(w.limits))
			copyAll(t, w.limits, backup)
			if c.before != nil {
				c.before(w)
			}
			if c.want != nil {
				assert.Equal(t, *c.want, misfit(t, open(limits), c.keys))
			} else {
				newVault(t, open(limits), c.keys, nil)
			}
			assert.Equal(t, c.left, canaryIDs(t, w.limits))
		})
	}
}

// TestOldCanaryStays: a canary is mended only where it is known that no key is missed.
func TestOldCanaryStays(t *testing.T) {
	// The canary of a store that went ahead of a restored database names a key that is in use.
	main, limits := newLasting(), lossy{store.NewMemory()}
	r := besides(t, main, limits)
	newVault(t, r, sealing(t, "k1"), nil)
	backup := stored(t, main)
	newVault(t, r, sealing(t, "k2", "k1"), nil)
	copyAll(t, main, backup)
	assert.Equal(t, store.KeysError{Missing: []string{"k2"}}, misfit(t, r, sealing(t, "k1")))

	// A store that does not forget came back from a backup: nothing is mended, whatever another store says.
	other := newLasting()
	r = besides(t, newLasting(), other)
	newVault(t, r, sealing(t, "k1"), nil)
	backup = stored(t, other)
	rotate(t, r)
	copyAll(t, other, backup)
	assert.Equal(t, store.KeysError{Missing: []string{"k1"}}, misfit(t, r, sealing(t, "k2")))

	// Where nothing lasts, nothing tells which key was retired.
	limits = lossy{store.NewMemory()}
	r = newRouter(t, store.Route{Kinds: []string{"*"}, Store: limits, MayLose: []string{"*"}})
	newVault(t, r, sealing(t, "k1"), nil)
	backup = stored(t, limits)
	rotate(t, r)
	newVault(t, r, sealing(t, "k2"), nil)
	copyAll(t, limits, backup)
	assert.Equal(t, store.KeysError{Missing: []string{"k1"}}, misfit(t, r, sealing(t, "k2")))
}

func otherIndex(t *testing.T, ids ...string) store.Keys {
	t.Helper()
	keys := sealing(t, ids...)
	keys.Index = civicpin.NewSecret(keyBytes("other index"))
	return keys
}

// besides returns a router with throttles in one store and everything else in main.
func besides(t *testing.T, main, limits store.Store) store.Store {
	t.Helper()
	return newRouter(t, store.Route{Kinds: []string{"quota.*"}, Store: limits}, store.Route{Kinds: []string{"*"}, Store: main})
}

// copyAll makes a store hold what items hold, and nothing else.
func copyAll(t *testing.T, to store.Lister, items []store.Item) {
	t.Helper()
	for _, item := range stored(t, to) {
		require.NoError(t, to.Delete(t.Context(), item.Key, item.Version))
	}
	for _, item := range items {
		_, err := to.Put(t.Context(), item.Key, store.Record{Value: item.Value, ExpiresAt: item.ExpiresAt})
		require.NoError(t, err)
	}
}
