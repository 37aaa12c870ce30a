package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// lasting is a store in memory that does not say that it forgets.
type lasting struct{ store.Lister }

func newLasting() lasting { return lasting{store.NewMemory()} }

// forgetting is a store that does.
type forgetting struct{ store.Store }

func (forgetting) Forgets() bool { return true }

// purging is a store that removes what expired by itself, and counts how much it was asked for.
type purging struct {
	store.Lister
	asked []int
}

func (p *purging) PurgeExpired(ctx context.Context, before time.Time, most int) (int, error) {
	p.asked = append(p.asked, most)
	n := 0
	for item, err := range p.List(ctx, "", "") {
		if err != nil || n == most {
			return n, err
		}
		if !item.ExpiresAt.IsZero() && !item.ExpiresAt.After(before) {
			if err := p.Delete(ctx, item.Key, item.Version); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

func newRouter(t testing.TB, routes ...store.Route) store.Store {
	t.Helper()
	r, err := store.NewRouter(routes...)
	require.NoError(t, err)
	return r
}

func TestRouterConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		var few []string
		for c := 'A'; c <= 'N'; c++ {
			few = append(few, "storetest-"+string(c)+"*")
		}
		return newRouter(t, store.Route{Kinds: few, Store: newLasting()}, store.Route{Kinds: []string{"*"}, Store: newLasting()})
	})
}

// TestRouterRoutes looks where each kind goes, and that nothing is read from elsewhere.
func TestRouterRoutes(t *testing.T) {
	rest, codes, sms, quota := newLasting(), newLasting(), newLasting(), newLasting()
	r := newRouter(
		t,
		store.Route{Kinds: []string{"code.*", "code-pending.*"}, Store: codes},
		store.Route{Kinds: []string{"*", "quota.special", "codes"}, Store: rest},
		store.Route{Kinds: []string{"code.sms.*"}, Store: sms},
		store.Route{Kinds: []string{"quota.*", "code"}, Store: quota},
	)
	for key, want := range map[string]lasting{
		"code.x/1": codes, "code./1": codes, "code.sms/1": codes, "code-pending.x/1": codes, "code.sms.it/1": sms,
		"quota.a/1": quota, "quota.special/1": rest, "quota.specials/1": quota, "code/1": quota, "codes/1": rest,
		"pin.INPS/1": rest, "quota": rest, "quota.": quota, "Code.x/1": rest, "x/code.x": rest, "/": rest,
	} {
		v, err := r.Put(t.Context(), key, store.Record{Value: []byte(key)})
		require.NoError(t, err, key)
		got, err := want.Get(t.Context(), key)
		require.NoError(t, err, key)
		assert.Equal(t, key, string(got.Value))
		got, err = r.Get(t.Context(), key)
		require.NoError(t, err, key)
		assert.Equal(t, v, got.Version)
		require.ErrorIs(t, r.Delete(t.Context(), key, v+1), store.ErrConflict)
		require.NoError(t, r.Delete(t.Context(), key, v))
		for _, s := range []lasting{rest, codes, sms, quota} {
			assert.Empty(t, raw(t, s), key)
		}
	}
}

// TestRouterLists: the listings of all stores are merged in order, and what lies where it is not routed is not seen.
func TestRouterLists(t *testing.T) {
	a, b, c := newLasting(), newLasting(), newLasting()
	r := newRouter(
		t,
		store.Route{Kinds: []string{"*"}, Store: a},
		store.Route{Kinds: []string{"k1", "k4"}, Store: b},
		store.Route{Kinds: []string{"k2*"}, Store: c},
	)
	var want []string
	for i := range 6 {
		for j := range 3 {
			key := fmt.Sprintf("k%d/%d", i, j)
			want = append(want, key)
			_, err := r.Put(t.Context(), key, store.Record{})
			require.NoError(t, err)
		}
	}
	for _, stray := range []string{"k1/stray", "k0/stray"} {
		_, err := c.Put(t.Context(), stray, store.Record{})
		require.NoError(t, err)
	}
	keys := func(prefix, after string, most int) (got []string) {
		for item, err := range r.(store.Lister).List(t.Context(), prefix, after) {
			require.NoError(t, err)
			if got = append(got, item.Key); len(got) == most {
				break
			}
		}
		return got
	}
	assert.Equal(t, want, keys("", "", -1))
	assert.Equal(t, want[4:9], keys("", want[3], 5))
	assert.Equal(t, want[3:6], keys("k1/", "", -1))
	assert.Equal(t, want[7:9], keys("k2", want[6], -1))
	assert.Empty(t, keys("k9", "", -1))
}

// TestRouterListingFails: when one of several listings breaks off, so does the whole, with its error.
func TestRouterListingFails(t *testing.T) {
	faults := storetest.NewFaults(newLasting())
	r := newRouter(t, store.Route{Kinds: []string{"*"}, Store: newLasting()}, store.Route{Kinds: []string{"b"}, Store: faults.Store()})
	for _, key := range []string{"a/1", "b/1", "b/2", "c/1"} {
		_, err := r.Put(t.Context(), key, store.Record{})
		require.NoError(t, err)
	}
	for outcome, want := range map[storetest.Outcome][]string{storetest.NotDone: nil, storetest.ReplyLost: {"a/1", "b/1"}} {
		faults.FailAt(1, outcome, storetest.List)
		var got []string
		var last error
		for item, err := range r.(store.Lister).List(t.Context(), "", "") {
			require.NoError(t, last)
			if last = err; err == nil {
				got = append(got, item.Key)
			}
		}
		require.ErrorIs(t, last, storetest.ErrInjected)
		assert.Equal(t, want, got)
	}
}

// TestRouterCan: it can list, and purge, if all of its stores can.
func TestRouterCan(t *testing.T) {
	bare := struct{ store.Store }{store.NewMemory()}
	purger := &purging{Lister: newLasting()}
	for _, c := range []struct {
		a, b           store.Store
		lists, purges_ bool
	}{
		{newLasting(), newLasting(), true, false},
		{newLasting(), bare, false, false},
		{bare, newLasting(), false, false},
		{newLasting(), purger, true, false},
		{purger, &purging{Lister: newLasting()}, true, true},
	} {
		r := newRouter(t, store.Route{Kinds: []string{"*"}, Store: c.a}, store.Route{Kinds: []string{"x"}, Store: c.b})
		_, lists := r.(store.Lister)
		_, purges := r.(store.Purger)
		assert.Equal(t, c.lists, lists)
		assert.Equal(t, c.purges_, purges)
		assert.False(t, func() bool { _, ok := r.(store.Forgetful); return ok }(), "it was checked already")
	}
}

func TestRouterPurges(t *testing.T) {
	a, b := &purging{Lister: newLasting()}, &purging{Lister: newLasting()}
	r := newRouter(t, store.Route{Kinds: []string{"*"}, Store: a}, store.Route{Kinds: []string{"x"}, Store: b})
	now := newClock().Now()
	for i := range 3 {
		for _, kind := range []string{"x/", "y/"} {
			_, err := r.Put(t.Context(), kind+fmt.Sprint(i), store.Record{ExpiresAt: now})
			require.NoError(t, err)
		}
	}
	for _, want := range []int{4, 2, 0} {
		n, err := r.(store.Purger).PurgeExpired(t.Context(), now, 4)
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
	assert.Equal(t, []int{4, 4, 4}, a.asked)
	assert.Equal(t, []int{1, 4, 4}, b.asked)
}

func TestNewRouterRefuses(t *testing.T) {
	s := newLasting()
	all := store.Route{Kinds: []string{"*"}, Store: s}
	for name, routes := range map[string][]store.Route{
		"nothing":           {},
		"no rest":           {{Kinds: []string{"code.*"}, Store: s}},
		"no store":          {all, {Kinds: []string{"code.*"}}},
		"no kinds":          {all, {Store: s}},
		"a kind twice":      {all, {Kinds: []string{"a"}, Store: s}, {Kinds: []string{"a"}, Store: s}},
		"a beginning twice": {all, {Kinds: []string{"a*", "a*"}, Store: s}},
		"two rests":         {all, all},
		"an empty kind":     {all, {Kinds: []string{""}, Store: s}},
		"a storage key":     {all, {Kinds: []string{"code/1"}, Store: s}},
		"a star within":     {all, {Kinds: []string{"a*b"}, Store: s}},
		"two stars":         {all, {Kinds: []string{"a**"}, Store: s}},
		"lost elsewhere":    {all, {Kinds: []string{"a"}, Store: s, MayLose: []string{"b"}}},
	} {
		r, err := store.NewRouter(routes...)
		require.Error(t, err, name)
		assert.NotErrorIs(t, err, store.ErrForgetful, name)
		assert.Nil(t, r, name)
	}
	newRouter(t, all, store.Route{Kinds: []string{"a", "a*"}, Store: s}) // the name, and all that begin with it
}

// TestForgetful: on a store that may lose writes there are only delivered codes and throttles, unless somebody said
// otherwise, by name.
func TestForgetful(t *testing.T) {
	for _, s := range []store.Store{forgetting{newLasting()}, store.NewMemory()} {
		for kind, may := range map[string]bool{
			"code.*": true, "code.sms": true, "code-pending.*": true, "quota.*": true, "quota.sends.x": true, "quota.address": true,
			"*": false, "c*": false, "code*": false, "code": false, "codes.*": false, "quota*": false, "outbox.*": false,
			"quotas.*": false, "outbox.rate": false, "outbox.entry": false, "outbox.dead": false, "pin.*": false, "pin.x": false,
			"pin-receipt.*": false, "lockout.*": false, "totp.*": false, "hotp.*": false, "backup.*": false, "recovery.*": false,
			"audit": false, "own": false, "Code.*": false,
		} {
			routes := []store.Route{{Kinds: []string{"*"}, Store: newLasting()}, {Kinds: []string{"quota.load", kind}, Store: s}}
			if kind == "*" {
				routes = routes[1:]
			}
			routes[len(routes)-1].Kinds = slices.Compact(routes[len(routes)-1].Kinds)
			_, err := store.NewRouter(routes...)
			if may {
				require.NoError(t, err, kind)
				continue
			}
			require.ErrorIs(t, err, store.ErrForgetful, kind)
			assert.ErrorContains(t, err, kind)

			routes[len(routes)-1].MayLose = []string{"quota.load"}
			_, err = store.NewRouter(routes...)
			require.ErrorIs(t, err, store.ErrForgetful, "%s: another was named", kind)
			routes[len(routes)-1].MayLose = []string{kind}
			_, err = store.NewRouter(routes...)
			require.NoError(t, err, "%s: named", kind)
		}
	}
}

// honest is a store that could forget, and says that it does not.
type honest struct{ store.Store }

func (honest) Forgets() bool { return false }

func TestOpenVaultOverForgetful(t *testing.T) {
	_, err := store.OpenVault(t.Context(), forgetting{store.NewMemory()}, sealing(t, "k1"), nil)
	require.ErrorIs(t, err, store.ErrForgetful)
	for _, way := range []string{"NewRouter", "MayLose"} {
		assert.ErrorContains(t, err, way)
	}
	newVault(t, store.NewMemory(), sealing(t, "k1"), nil)
	newVault(t, honest{store.NewMemory()}, sealing(t, "k1"), adopting)
	r := newRouter(t, store.Route{Kinds: []string{"*"}, Store: forgetting{store.NewMemory()}, MayLose: []string{"*"}})
	newVault(t, r, sealing(t, "k1"), nil)
}
