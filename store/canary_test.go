package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// misfit returns what OpenVault has against keys.
func misfit(t *testing.T, s store.Store, keys store.Keys) store.KeysError {
	t.Helper()
	v, err := store.OpenVault(t.Context(), s, keys, nil)
	var wrong *store.KeysError
	require.ErrorAs(t, err, &wrong)
	require.Nil(t, v)
	require.NotErrorIs(t, err, store.ErrUnreadable)
	return *wrong
}

// canaryIDs returns the ids of the sealing keys that the canary names and that were not retired.
func canaryIDs(t *testing.T, s store.Store) (ids []string) {
	t.Helper()
	r, err := s.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	var c struct {
		Sealing []struct {
			Key     string `json:"key"`
			Retired bool   `json:"retired"`
		} `json:"sealing"`
	}
	require.NoError(t, json.Unmarshal(r.Value, &c))
	for _, k := range c.Sealing {
		if !k.Retired {
			ids = append(ids, k.Key)
		}
	}
	return ids
}

// TestOtherKeyFile: with another valid key file a full database would look empty: everybody is unknown, and may register anew.
func TestOtherKeyFile(t *testing.T) {
	memory := store.NewMemory()
	right, err := store.CreateKeyFile(t.TempDir() + "/right.keys")
	require.NoError(t, err)
	other, err := store.CreateKeyFile(t.TempDir() + "/other.keys")
	require.NoError(t, err)
	put(t, kindOf[account](t, newVault(t, memory, right, nil), "account"), store.Key{Subject: rossi}, account{N: 1})

	v, err := store.OpenVault(t.Context(), memory, other, nil)
	if err == nil {
		k := kindOf[account](t, v, "account")
		_, err := k.Get(t.Context(), store.Key{Subject: rossi})
		require.NotErrorIs(t, err, store.ErrNotFound, "a citizen is unknown under another key file")
	}
	require.Error(t, err)
}

// TestKeysThatDoNotFit: each way in which keys are not those of a database is told apart, and none leaves a trace in it.
func TestKeysThatDoNotFit(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := filepath.Join(dir, "mine.keys"), filepath.Join(dir, "theirs.keys")
	for _, path := range []string{mine, theirs} {
		_, err := store.CreateKeyFile(path)
		require.NoError(t, err)
	}
	second, err := store.AddKey(mine)
	require.NoError(t, err)
	memories := make(map[string]*store.Memory)
	for _, path := range []string{mine, theirs} {
		memories[path] = store.NewMemory()
		keys, err := store.ReadKeyFile(path)
		require.NoError(t, err)
		put(t, kindOf[account](t, newVault(t, memories[path], keys, nil), "account"), store.Key{Subject: rossi}, account{N: 1})
	}
	require.NoError(t, store.PromoteKey(mine, second))
	keys, err := store.ReadKeyFile(mine)
	require.NoError(t, err)
	newVault(t, memories[mine], keys, nil) // both keys are in use
	foreign, err := store.ReadKeyFile(theirs)
	require.NoError(t, err)

	changed := func(change func(k *store.Keys)) store.Keys {
		k := store.Keys{Index: keys.Index, Sealing: slices.Clone(keys.Sealing)}
		change(&k)
		return k
	}
	for name, c := range map[string]struct {
		keys store.Keys
		want store.KeysError
		text string
	}{
		"another index key": {
			changed(func(k *store.Keys) { k.Index = foreign.Index }),
			store.KeysError{Index: true},
			"store: the keys do not fit the database: the index key is another one",
		},
		"another sealing key": {
			changed(func(k *store.Keys) { k.Sealing = []store.SealingKey{{ID: "hsm", Sealer: foreign.Sealing[0].Sealer}} }),
			store.KeysError{Missing: []string{"k1", second}},
			"store: the keys do not fit the database: sealing key k1 is missing; sealing key " + second + " is missing",
		},
		"both": {
			foreign,
			store.KeysError{Index: true, Other: []string{"k1"}, Missing: []string{second}},
			"store: the keys do not fit the database: the index key is another one; sealing key k1 is another one; sealing key " +
				second + " is missing",
		},
		"a missing old key": {
			changed(func(k *store.Keys) { k.Sealing = k.Sealing[:1] }),
			store.KeysError{Missing: []string{"k1"}},
			"store: the keys do not fit the database: sealing key k1 is missing",
		},
		"the same id with other bytes": {
			changed(func(k *store.Keys) { k.Sealing[1].Sealer = foreign.Sealing[0].Sealer }),
			store.KeysError{Other: []string{"k1"}},
			"store: the keys do not fit the database: sealing key k1 is another one",
		},
		"two keys under each other's ids": {
			changed(func(k *store.Keys) {
				k.Sealing[0].Sealer, k.Sealing[1].Sealer = k.Sealing[1].Sealer, k.Sealing[0].Sealer
			}),
			store.KeysError{Other: []string{"k1", second}},
			"store: the keys do not fit the database: sealing key k1 is another one; sealing key " + second + " is another one",
		},
	} {
		before := stored(t, memories[mine])
		assert.Equal(t, c.want, misfit(t, memories[mine], c.keys), name)
		_, err := store.OpenVault(t.Context(), memories[mine], c.keys, &store.Options{Adopt: true})
		require.EqualError(t, err, c.text, "%s: Adopt changes nothing", name)
		assert.Equal(t, before, stored(t, memories[mine]), name)
	}

	t.Run("an empty file", func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
		_, err := store.ReadKeyFile(filepath.Join(dir, "empty"))
		require.ErrorIs(t, err, store.ErrInvalidKeyFile)
		require.EqualError(t, err, `store: keys: no line "civicpin keys 1": `+filepath.Join(dir, "empty"))
	})
	t.Run("a truncated one", func(t *testing.T) {
		text, err := os.ReadFile(mine)
		require.NoError(t, err)
		for n := range len(text) - 1 {
			path := filepath.Join(dir, "short")
			require.NoError(t, os.WriteFile(path, text[:n], 0o600))
			short, err := store.ReadKeyFile(path)
			if err != nil {
				require.ErrorIs(t, err, store.ErrInvalidKeyFile, n)
				continue
			}
			// It ends with a line.
			assert.Equal(t, store.KeysError{Missing: []string{"k1"}}, misfit(t, memories[mine], short), n)
		}
	})
	t.Run("two files swapped", func(t *testing.T) {
		assert.True(t, misfit(t, memories[mine], foreign).Index)
		assert.True(t, misfit(t, memories[theirs], keys).Index)
	})
	newVault(t, memories[mine], keys, nil)
	newVault(t, memories[theirs], foreign, nil)
}

// stored returns all records of a store.
func stored(t *testing.T, s store.Lister) (all []store.Item) {
	t.Helper()
	for item, err := range s.List(t.Context(), "", "") {
		require.NoError(t, err)
		all = append(all, item)
	}
	return all
}

// TestCanaryIsCreated in a store that lists as empty, or with Adopt.
func TestCanaryIsCreated(t *testing.T) {
	open := func(s store.Store, adopt bool) error {
		_, err := store.OpenVault(t.Context(), s, sealing(t, "k2", "k1"), &store.Options{Adopt: adopt})
		return err
	}
	empty := store.NewMemory()
	require.NoError(t, open(empty, false))
	assert.Equal(t, []string{"k2"}, canaryIDs(t, empty), "nothing is sealed under the other")

	bare := struct{ store.Store }{store.NewMemory()}
	require.ErrorIs(t, open(bare, false), store.ErrNoCanary, "whether it is empty, nothing tells")
	require.NoError(t, open(bare, true))
	require.NoError(t, open(bare, false), "now there is one")

	// A database of before.
	full := func(keys store.Keys) *store.Memory {
		m := store.NewMemory()
		put(t, kindOf[account](t, newVault(t, blind{m}, keys, adopting), "account"), store.Key{Subject: rossi}, account{N: 1})
		return m
	}
	m := full(sealing(t, "k1"))
	require.ErrorIs(t, open(m, false), store.ErrNoCanary)
	require.Len(t, stored(t, m), 1, "nothing was written")
	require.NoError(t, open(m, true))
	assert.Equal(t, []string{"k2", "k1"}, canaryIDs(t, m), "records may be under both")

	// Adopt takes no keys that open nothing.
	other := sealing(t, "k1")
	other.Index = civicpin.NewSecret(keyBytes("other index"))
	bytes := sealing(t, "k1")
	bytes.Sealing[0].Sealer = sealing(t, "k7").Sealing[0].Sealer
	for name, c := range map[string]struct {
		keys store.Keys
		want store.KeysError
	}{
		"another index key": {other, store.KeysError{Index: true}},
		"other bytes":       {bytes, store.KeysError{Other: []string{"k1"}}},
		"a missing key":     {sealing(t, "k3"), store.KeysError{Missing: []string{"k3"}}},
	} {
		var wrong *store.KeysError
		m := full(c.keys)
		require.ErrorAs(t, open(m, true), &wrong, name)
		assert.Equal(t, c.want, *wrong, name)
		require.Len(t, stored(t, m), 1, name)
	}
	m = store.NewMemory()
	overwrite(t, m, "other/table", []byte("junk"))
	require.ErrorIs(t, open(m, true), store.ErrUnreadable)

	// One spoilt record does not keep a database from being adopted; one under a missing key does.
	m = full(sealing(t, "k1"))
	overwrite(t, m, "account/0", []byte("\x01\x02k1spoilt"))
	require.NoError(t, open(m, true))
	m = full(sealing(t, "k1"))
	overwrite(t, m, "account/0", []byte("\x01\x02k0spoilt"))
	var wrong *store.KeysError
	require.ErrorAs(t, open(m, true), &wrong)
	assert.Equal(t, store.KeysError{Missing: []string{"k0"}}, *wrong)
}

// TestCanaryOutlivesRotation: a key is in the canary before anything is sealed under it, and until nothing is.
func TestCanaryOutlivesRotation(t *testing.T) {
	memory := store.NewMemory()
	put(t, accounts(t, memory), store.Key{Subject: rossi}, account{N: 1})
	newVault(t, memory, sealing(t, "k1", "k2"), nil)
	assert.Equal(t, []string{"k1"}, canaryIDs(t, memory), "behind, it seals nothing")
	newVault(t, memory, sealing(t, "k1"), nil)
	v := newVault(t, memory, sealing(t, "k2", "k1"), nil)
	assert.Equal(t, []string{"k1", "k2"}, canaryIDs(t, memory))
	assert.Equal(t, []string{"k2"}, misfit(t, memory, sealing(t, "k1")).Missing)
	assert.Equal(t, []string{"k1"}, misfit(t, memory, sealing(t, "k2")).Missing)
	newVault(t, memory, sealing(t, "k1", "k2"), nil)

	for _, p := range []store.Pass{{}, {Max: 9}, {After: "a"}} {
		at, err := v.Reseal(t.Context(), p)
		require.NoError(t, err)
		require.True(t, at.End)
		assert.Equal(t, 1, at.Seen, "the canary is not counted")
		assert.Equal(t, []string{"k1", "k2"}, canaryIDs(t, memory), "this walk did not see all records with nothing to do")
	}
	at, err := v.Reseal(t.Context(), store.Pass{})
	require.NoError(t, err)
	require.Zero(t, at.Changed)
	assert.Equal(t, []string{"k2"}, canaryIDs(t, memory))
	newVault(t, memory, sealing(t, "k2"), nil)
	newVault(t, memory, sealing(t, "k2", "k1"), nil)

	// A key that comes while a walk is under way stays.
	v = newVault(t, memory, sealing(t, "k2", "k3", "k1"), nil)
	_, err = v.Reseal(t.Context(), store.Pass{Progress: func(store.Progress) { newVault(t, memory, sealing(t, "k3", "k2"), nil) }})
	require.NoError(t, err)
	assert.Equal(t, []string{"k2", "k3"}, canaryIDs(t, memory))
}

// TestCanaryIsNoRecord: no walk counts it, shows it, or takes it away.
func TestCanaryIsNoRecord(t *testing.T) {
	memory := store.NewMemory()
	v := newVault(t, memory, sealing(t, "k1"), nil)
	put(t, kindOf[account](t, v, "account"), store.Key{Subject: rossi}, account{N: 1})
	before, err := memory.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	var out strings.Builder
	for name, walk := range map[string]func(store.Pass) (store.Progress, error){
		"purge":  func(p store.Pass) (store.Progress, error) { return v.Purge(t.Context(), p) },
		"reseal": func(p store.Pass) (store.Progress, error) { return v.Reseal(t.Context(), p) },
		"export": func(p store.Pass) (store.Progress, error) { return v.Export(t.Context(), &out, rossi, p) },
	} {
		at, err := walk(store.Pass{})
		require.NoError(t, err, name)
		assert.Equal(t, 1, at.Seen, name)
	}
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
	at, err := v.Erase(t.Context(), rossi, store.Pass{})
	require.NoError(t, err)
	assert.Equal(t, 1, at.Seen)
	assert.Equal(t, 1, at.Changed)
	after, err := memory.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	_, err = store.NewKind[account](v, "vault")
	require.Error(t, err, "its neighbourhood")
}

// TestCanaryTampered: an attacker who can write to the store has the vault refuse, and never forget a key or take another's.
func TestCanaryTampered(t *testing.T) {
	memory, other := store.NewMemory(), store.NewMemory()
	both := sealing(t, "k2", "k1")
	for _, m := range []*store.Memory{memory, other} {
		newVault(t, m, sealing(t, "k1"), nil)
		put(t, kindOf[account](t, newVault(t, m, both, nil), "account"), store.Key{Subject: rossi}, account{N: 1})
	}
	good, err := memory.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	theirs, err := other.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	edit := func(change func(mine, theirs map[string]any)) []byte {
		var a, b map[string]any
		require.NoError(t, json.Unmarshal(good.Value, &a))
		require.NoError(t, json.Unmarshal(theirs.Value, &b))
		change(a, b)
		text, err := json.Marshal(a)
		require.NoError(t, err)
		return text
	}
	for name, value := range map[string][]byte{
		"empty":     {},
		"junk":      []byte("junk"),
		"null":      []byte("null"),
		"no fields": []byte("{}"),
		"no keys":   edit(func(a, _ map[string]any) { a["sealing"] = []any{} }),
		"one key less": edit(func(a, _ map[string]any) {
			a["sealing"] = a["sealing"].([]any)[1:]
		}),
		"a key twice":         edit(func(a, _ map[string]any) { a["sealing"] = append(a["sealing"].([]any), a["sealing"].([]any)[0]) }),
		"another order":       edit(func(a, _ map[string]any) { slices.Reverse(a["sealing"].([]any)) }),
		"a key retired":       edit(func(a, _ map[string]any) { a["sealing"].([]any)[0].(map[string]any)["retired"] = true }),
		"another rank":        edit(func(a, _ map[string]any) { a["sealing"].([]any)[0].(map[string]any)["rank"] = 7 }),
		"a field more":        edit(func(a, _ map[string]any) { a["x"] = 1 }),
		"a newer format":      edit(func(a, _ map[string]any) { a["format"] = 2 }),
		"no sum":              edit(func(a, _ map[string]any) { delete(a, "sum") }),
		"another's sum":       edit(func(a, b map[string]any) { a["sum"] = b["sum"] }),
		"trailing":            append(slices.Clone(good.Value), '{'),
		"an ordinary record":  stored(t, memory)[0].Value,
		"another's entry":     edit(func(a, b map[string]any) { a["sealing"].([]any)[0] = b["sealing"].([]any)[0] }),
		"another's id":        edit(func(a, b map[string]any) { a["id"] = b["id"] }),
		"another's index":     edit(func(a, b map[string]any) { a["index"] = b["index"] }),
		"an entry's other id": edit(func(a, _ map[string]any) { a["sealing"].([]any)[0].(map[string]any)["key"] = "k2" }),
	} {
		overwrite(t, memory, canaryKey, value)
		_, err := store.OpenVault(t.Context(), memory, both, &store.Options{Adopt: true})
		var wrong *store.KeysError
		require.True(t, errors.Is(err, store.ErrUnreadable) || errors.As(err, &wrong), "%s: %v", name, err)
		r, err := memory.Get(t.Context(), canaryKey)
		require.NoError(t, err)
		assert.Equal(t, string(value), string(r.Value), "%s: it is left for an operator to see", name)
	}
	// Without one, the store is no empty one.
	r, err := memory.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	require.NoError(t, memory.Delete(t.Context(), canaryKey, r.Version))
	_, err = store.OpenVault(t.Context(), memory, both, nil)
	require.ErrorIs(t, err, store.ErrNoCanary)
}

// TestCanaryRace: of any number of programs that open an empty store at once, with two sets of keys, those with one set win.
func TestCanaryRace(t *testing.T) {
	mine, err := store.CreateKeyFile(filepath.Join(t.TempDir(), "mine"))
	require.NoError(t, err)
	theirs, err := store.CreateKeyFile(filepath.Join(t.TempDir(), "theirs"))
	require.NoError(t, err)
	for range 200 {
		memory := store.NewMemory()
		var won [2]atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range 8 {
			wg.Go(func() {
				<-start
				v, err := store.OpenVault(t.Context(), memory, []store.Keys{mine, theirs}[i%2], nil)
				var wrong *store.KeysError
				if err != nil {
					assert.ErrorAs(t, err, &wrong)
					return
				}
				won[i%2].Add(1)
				k, err := store.NewKind[account](v, "account") // records come at once
				assert.NoError(t, err)
				_, err = k.Update(t.Context(), store.Key{Subject: rossi}, add(1))
				assert.NoError(t, err)
			})
		}
		close(start)
		wg.Wait()
		require.Equal(t, int32(4), won[0].Load()+won[1].Load())
		require.Zero(t, won[0].Load()*won[1].Load())
	}
}

// TestCanaryFaults: whatever call fails while a vault is opened, the next attempt succeeds with the same keys, and other keys
// succeed only where nothing came of the first attempt.
func TestCanaryFaults(t *testing.T) {
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost, storetest.DoneLater} {
		for _, old := range []bool{false, true} {
			for k := 1; ; k++ {
				faults := storetest.NewFaults(store.NewMemory())
				if old {
					newVault(t, faults.Store(), sealing(t, "k1"), nil)
				}
				faults.Reset()
				faults.FailAt(k, outcome)
				_, err := store.OpenVault(t.Context(), faults.Store(), sealing(t, "k2", "k1"), nil)
				if faults.Calls() < k {
					require.NoError(t, err)
					break
				}
				if outcome == storetest.NotDone || outcome == storetest.DoneLater {
					require.ErrorIs(t, err, storetest.ErrInjected)
				}
				faults.Deliver(t.Context())
				faults.Reset()
				newVault(t, faults.Store(), sealing(t, "k2", "k1"), nil)
				foreign := sealing(t, "k2", "k1")
				foreign.Index = civicpin.NewSecret(keyBytes("other index"))
				assert.True(t, misfit(t, faults.Store(), foreign).Index)
			}
		}
	}
}

// lossy is a store that may lose records, and can list them.
type lossy struct{ store.Lister }

func (lossy) Forgets() bool { return true }

// TestCanaryOfMembers: each store behind a router has its own, and one that does not fit spoils none of the others.
func TestCanaryOfMembers(t *testing.T) {
	main, codes, limits := newLasting(), store.NewMemory(), lossy{store.NewMemory()}
	inner := newRouter(t, store.Route{Kinds: []string{"*"}, Store: main}, store.Route{Kinds: []string{"quota.*"}, Store: limits})
	r := newRouter(t, store.Route{Kinds: []string{"*"}, Store: inner}, store.Route{Kinds: []string{"code.*"}, Store: codes})
	v := newVault(t, r, sealing(t, "k1"), nil)
	ids := make(map[string]bool)
	for _, m := range []store.Store{main, codes, limits} {
		rec, err := m.Get(t.Context(), canaryKey)
		require.NoError(t, err)
		ids[string(rec.Value)] = true
	}
	assert.Len(t, ids, 3)
	put(t, kindOf[account](t, v, "account"), store.Key{Subject: rossi}, account{N: 1})
	put(t, kindOf[account](t, v, "code.x"), store.Key{Subject: rossi}, account{N: 1})
	assert.Len(t, raw(t, r), 2)

	// Another database behind one route.
	foreign := sealing(t, "k1")
	foreign.Index = civicpin.NewSecret(keyBytes("other index"))
	strange := store.NewMemory()
	newVault(t, strange, foreign, nil)
	fresh := newLasting()
	swapped := newRouter(t, store.Route{Kinds: []string{"*"}, Store: fresh}, store.Route{Kinds: []string{"code.*"}, Store: strange})
	assert.Equal(t, store.KeysError{Index: true}, misfit(t, swapped, sealing(t, "k1")))
	assert.Empty(t, stored(t, fresh.Lister), "no trace in the other")

	// Rotation reaches all of them.
	v = newVault(t, r, sealing(t, "k2", "k1"), nil)
	for range 2 {
		_, err := v.Reseal(t.Context(), store.Pass{})
		require.NoError(t, err)
	}
	for _, m := range []store.Store{main, codes, limits} {
		assert.Equal(t, []string{"k2"}, canaryIDs(t, m))
	}
	newVault(t, r, sealing(t, "k2"), nil)

	// A store that may lose records may lose this one, and keep others.
	rec, err := limits.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	require.NoError(t, limits.Delete(t.Context(), canaryKey, rec.Version))
	overwrite(t, limits, "quota.x/0", []byte("left over"))
	newVault(t, r, sealing(t, "k2"), nil)
	assert.Equal(t, []string{"k2"}, canaryIDs(t, limits))
	rec, err = main.Get(t.Context(), canaryKey)
	require.NoError(t, err)
	require.NoError(t, main.Delete(t.Context(), canaryKey, rec.Version))
	_, err = store.OpenVault(t.Context(), r, sealing(t, "k2"), nil)
	require.ErrorIs(t, err, store.ErrNoCanary)
}

// TestCopiedDatabase: what a listing yields is the whole database, its canary included.
func TestCopiedDatabase(t *testing.T) {
	from, to := store.NewMemory(), store.NewMemory()
	put(t, accounts(t, from), store.Key{Subject: rossi}, account{N: 1})
	for _, item := range stored(t, from) {
		item.Version = 0
		_, err := to.Put(t.Context(), item.Key, item.Record)
		require.NoError(t, err)
	}
	e, err := accounts(t, to).Get(t.Context(), store.Key{Subject: rossi})
	require.NoError(t, err)
	assert.Equal(t, 1, e.Value.N)
	assert.Equal(t, []string{"k1"}, misfit(t, to, sealing(t, "k2")).Missing)
}

func TestOpenVaultBrokenOff(t *testing.T) {
	memory := store.NewMemory()
	newVault(t, memory, sealing(t, "k1"), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.OpenVault(ctx, memory, sealing(t, "k1"), nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = store.OpenVault(ctx, store.NewMemory(), sealing(t, "k1"), nil)
	require.ErrorIs(t, err, context.Canceled)
}
