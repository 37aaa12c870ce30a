package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

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
