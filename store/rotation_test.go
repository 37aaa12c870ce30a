package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
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

// TestPassInSteps goes through all records a few at a time, on from where the last pass ended: each is looked at once.
func TestPassInSteps(t *testing.T) {
	memory := store.NewMemory()
	old := accounts(t, memory)
	for i := range 10 {
		put(t, old, store.Key{ID: fmt.Sprint(i)}, account{N: i})
	}
	keys := raw(t, memory)
	both := newVault(t, memory, sealing(t, "k2", "k1"), nil)
	var told []store.Progress
	pass := store.Pass{Max: 4, Progress: func(at store.Progress) { told = append(told, at) }}
	for i, want := range []store.Progress{
		{Last: keys[3].Key, Seen: 4, Changed: 4},
		{Last: keys[7].Key, Seen: 4, Changed: 4},
		{Last: keys[9].Key, Seen: 2, Changed: 2, End: true},
		{Last: keys[9].Key, End: true},
	} {
		at, err := both.Reseal(t.Context(), pass)
		require.NoError(t, err)
		assert.Equal(t, want, at, i)
		pass.After = at.Last
	}
	require.Len(t, told, 10)
	for i, at := range told {
		assert.Equal(t, keys[i].Key, at.Last)
		assert.Equal(t, i%4+1, at.Seen)
	}
	at, err := both.Reseal(t.Context(), store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, store.Progress{Last: keys[9].Key, Seen: 10, End: true}, at)
}

// TestPassBrokenOff: what a pass tells beside its error is where to go on.
func TestPassBrokenOff(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	old := accounts(t, faults.Store())
	for i := range 6 {
		put(t, old, store.Key{ID: fmt.Sprint(i)}, account{N: i})
	}
	keys := raw(t, faults.Store())
	both := newVault(t, faults.Store(), sealing(t, "k2", "k1"), nil)
	faults.FailAt(3, storetest.NotDone, storetest.Put)
	at, err := both.Reseal(t.Context(), store.Pass{})
	require.ErrorIs(t, err, storetest.ErrInjected)
	assert.Equal(t, store.Progress{Last: keys[1].Key, Seen: 2, Changed: 2}, at)
	at, err = both.Reseal(t.Context(), store.Pass{After: at.Last})
	require.NoError(t, err)
	assert.Equal(t, store.Progress{Last: keys[5].Key, Seen: 4, Changed: 4, End: true}, at)

	ctx, cancel := context.WithCancel(t.Context())
	at, err = both.Reseal(ctx, store.Pass{Progress: func(at store.Progress) {
		if at.Seen == 2 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, at.End)
}

// TestPassMisses: a record that somebody else wrote at that moment is counted, so that nobody takes the walk for complete.
func TestPassMisses(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	old := accounts(t, faults.Store())
	put(t, old, store.Key{Subject: rossi}, account{N: 1})
	both := newVault(t, faults.Store(), sealing(t, "k2", "k1"), nil)
	for _, walk := range []func() (store.Progress, error){
		func() (store.Progress, error) { return both.Reseal(t.Context(), store.Pass{}) },
		func() (store.Progress, error) { return both.Erase(t.Context(), rossi, store.Pass{}) },
	} {
		faults.Hook(func(method, _ string) error {
			if method == storetest.Put || method == storetest.Delete {
				faults.Hook(nil)
				put(t, old, store.Key{Subject: rossi}, account{N: 2})
			}
			return nil
		})
		at, err := walk()
		require.NoError(t, err)
		assert.Equal(t, 1, at.Missed)
		assert.Zero(t, at.Changed)
	}
}

func TestPassRefuses(t *testing.T) {
	v := newVault(t, &purging{Lister: newLasting()}, sealing(t, "k1"), nil)
	bare := newVault(t, struct{ store.Store }{store.NewMemory()}, sealing(t, "k1"), adopting)
	var out bytes.Buffer
	for name, walk := range map[string]func(*store.Vault, store.Pass) (store.Progress, error){
		"purge":  func(v *store.Vault, p store.Pass) (store.Progress, error) { return v.Purge(t.Context(), p) },
		"reseal": func(v *store.Vault, p store.Pass) (store.Progress, error) { return v.Reseal(t.Context(), p) },
		"export": func(v *store.Vault, p store.Pass) (store.Progress, error) {
			return v.Export(t.Context(), &out, rossi, p)
		},
		"erase": func(v *store.Vault, p store.Pass) (store.Progress, error) { return v.Erase(t.Context(), rossi, p) },
	} {
		at, err := walk(v, store.Pass{After: "x", Max: -1})
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
		assert.Equal(t, store.Progress{Last: "x"}, at, name)
		_, err = walk(bare, store.Pass{})
		require.ErrorIs(t, err, store.ErrNoListing, name)
	}
	for _, p := range []store.Pass{{Max: -1}, {}} {
		_, err := kindOf[account](t, bare, "account").Walk(t.Context(), p, func(store.Entry[account]) error { return nil })
		require.ErrorIs(t, err, store.ErrNoListing)
	}
	_, err := kindOf[account](t, v, "account").Walk(t.Context(), store.Pass{Max: -1}, func(store.Entry[account]) error { return nil })
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = v.Erase(t.Context(), "", store.Pass{})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = v.Export(t.Context(), &out, "", store.Pass{})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	assert.Empty(t, out.String())
}

// TestPurgeByEngine: an engine that can remove expired records is asked to, in bounded batches, by the vault's clock and
// nothing else.
func TestPurgeByEngine(t *testing.T) {
	c := newClock()
	engine := &purging{Lister: newLasting()}
	v := newVault(t, engine, sealing(t, "k1"), &store.Options{Now: c.Now, Grace: time.Minute})
	k := kindOf[account](t, v, "account")
	putForAnHour(t, k, c, 2500)
	c.Add(time.Hour + time.Minute - 1)
	at, err := v.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, store.Progress{End: true}, at, "in grace")

	c.Add(1)
	engine.asked = nil
	at, err = v.Purge(t.Context(), store.Pass{Max: 100, After: "z"})
	require.NoError(t, err)
	assert.Equal(t, store.Progress{Last: "z", Seen: 100, Changed: 100}, at)
	var told []int
	at, err = v.Purge(t.Context(), store.Pass{Progress: func(at store.Progress) { told = append(told, at.Changed) }})
	require.NoError(t, err)
	assert.Equal(t, store.Progress{Seen: 2400, Changed: 2400, End: true}, at)
	assert.Equal(t, []int{1000, 2000, 2400}, told)
	assert.Equal(t, []int{100, 1000, 1000, 1000}, engine.asked)
	assert.Len(t, raw(t, engine), 1)
}

// failing is an engine whose purge breaks off.
type failing struct{ store.Lister }

func (failing) PurgeExpired(context.Context, time.Time, int) (int, error) {
	return 7, errors.New("broken off")
}

func TestPurgeByEngineFails(t *testing.T) {
	at, err := newVault(t, failing{newLasting()}, sealing(t, "k1"), nil).Purge(t.Context(), store.Pass{})
	require.Error(t, err)
	assert.Equal(t, store.Progress{Seen: 7, Changed: 7}, at)
}

// TestKindWalk: the records of one kind, and no others, each once, a few at a time; what has expired, or does not open, is
// passed over, and an error from the visitor ends the pass before that record.
func TestKindWalk(t *testing.T) {
	c := newClock()
	memory := store.NewMemory()
	v := newVault(t, memory, sealing(t, "k1"), &store.Options{Now: c.Now})
	k := kindOf[account](t, v, "account")
	put(t, kindOf[account](t, v, "accoun"), store.Key{ID: "before"}, account{N: 100})
	put(t, kindOf[account](t, v, "account.x"), store.Key{ID: "behind"}, account{N: 100})
	for i := range 8 {
		put(t, k, store.Key{ID: fmt.Sprint(i)}, account{N: 1 << i})
	}
	e := store.Entry[account]{Key: store.Key{ID: "expires"}, Value: account{N: 1000}, ExpiresAt: c.Now().Add(time.Minute)}
	require.NoError(t, k.Put(t.Context(), &e))
	c.Add(time.Minute)
	var keys []string
	for item, err := range memory.List(t.Context(), "account/", "") {
		require.NoError(t, err)
		keys = append(keys, item.Key)
	}
	require.Len(t, keys, 9)

	sum := 0
	count := func(e store.Entry[account]) error { sum += e.Value.N; return nil }
	var told []store.Progress
	pass := store.Pass{Max: 4, Progress: func(at store.Progress) { told = append(told, at) }}
	for i, want := range []store.Progress{
		{Last: keys[3], Seen: 4},
		{Last: keys[7], Seen: 4},
		{Last: keys[8], Seen: 1, End: true},
		{Last: keys[8], End: true},
	} {
		at, err := k.Walk(t.Context(), pass, count)
		require.NoError(t, err)
		assert.Equal(t, want, at, i)
		pass.After = at.Last
	}
	assert.Equal(t, 255, sum)
	assert.Len(t, told, 9)

	calls := 0
	broken := errors.New("broken")
	at, err := k.Walk(t.Context(), store.Pass{}, func(store.Entry[account]) error {
		if calls++; calls == 3 {
			return broken
		}
		return nil
	})
	require.ErrorIs(t, err, broken)
	assert.False(t, at.End)
	assert.Less(t, at.Seen, 4) // the expired one may be among them
	sum = 0
	_, err = k.Walk(t.Context(), store.Pass{After: at.Last}, count)
	require.NoError(t, err)
	assert.Greater(t, sum, 0)

	for _, i := range []int{1, 5} {
		r, err := memory.Get(t.Context(), keys[i])
		require.NoError(t, err)
		r.Value[len(r.Value)-1] ^= 1
		_, err = memory.Put(t.Context(), keys[i], r)
		require.NoError(t, err)
	}
	at, err = k.Walk(t.Context(), store.Pass{}, func(store.Entry[account]) error { return store.ErrConflict })
	require.ErrorIs(t, err, store.ErrUnreadable)
	assert.True(t, at.End)
	assert.Equal(t, 9, at.Seen)
	assert.Equal(t, 2, at.Unreadable)
	assert.GreaterOrEqual(t, at.Missed, 6)
}
