package storetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestAccepts runs the suite on stores that differ where the contract leaves it open.
func TestAccepts(t *testing.T) {
	t.Run("Memory", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T) store.Store { return store.NewMemory() })
	})
	t.Run("no Lister", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(*testing.T) store.Store { return struct{ store.Store }{store.NewMemory()} })
	})
	t.Run("hides what has expired", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(*testing.T) store.Store { return newEngine().hiding() })
	})
	t.Run("rounds expiry up to the second", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(*testing.T) store.Store {
			e := newEngine()
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if !r.ExpiresAt.IsZero() {
					r.ExpiresAt = r.ExpiresAt.Add(time.Second - 1).Truncate(time.Second)
				}
				return e.rightPut(ctx, key, r)
			}
			return e
		})
	})
	t.Run("durable", func(t *testing.T) {
		t.Parallel()
		dirs := make(map[string]*engine)
		storetest.RunDurable(t, func(_ *testing.T, dir string) store.Store {
			if dirs[dir] == nil {
				dirs[dir] = newEngine()
			}
			return dirs[dir]
		})
	})
}

// TestCatches runs each check on a store that breaks just what it is there for.
func TestCatches(t *testing.T) {
	caught := make(map[string]bool)
	for _, b := range broken() {
		check, ok := find(b.rule, b.check)
		if !ok {
			t.Errorf("no check %q of a rule %q", b.check, b.rule)
			continue
		}
		caught[check.Sentence+"/"+check.Name] = true
		t.Run(b.rule+"/"+b.check+"/"+b.what, func(t *testing.T) {
			t.Parallel()
			var failures []string
			for range 3 { // a race is not lost every time
				if failures = check.Failures(t.Context(), b.open()); len(failures) > 0 {
					break
				}
			}
			if len(failures) == 0 {
				t.Fatalf("not caught by %q", check.Sentence)
			}
			t.Logf("caught: %s", failures[0])
		})
	}
	for _, c := range storetest.Checks() {
		if !caught[c.Sentence+"/"+c.Name] {
			t.Errorf("nothing shows that this check can fail: %s/%s", c.Sentence, c.Name)
		}
	}
}

// find returns the check of that name whose rule begins so.
func find(rule, name string) (storetest.Check, bool) {
	for _, c := range storetest.Checks() {
		if strings.HasPrefix(c.Sentence, rule) && c.Name == name {
			return c, true
		}
	}
	return storetest.Check{}, false
}

// A brokenStore breaks one rule.
type brokenStore struct {
	rule, check, what string
	// open returns what opens handles on new data.
	open func() func() store.Store
}

// one makes a broken store of an engine, the same for all handles.
func one(rule, check, what string, spoil func(e *engine)) brokenStore {
	return brokenStore{rule, check, what, func() func() store.Store {
		e := newEngine()
		spoil(e)
		return func() store.Store { return e }
	}}
}

// each makes a broken store whose handles share an engine, and are broken each for itself.
func each(rule, check, what string, spoil func(handle, data *engine)) brokenStore {
	return brokenStore{rule, check, what, func() func() store.Store {
		data := newEngine()
		return func() store.Store {
			handle := newEngine()
			handle.get, handle.put, handle.del, handle.list = data.rightGet, data.rightPut, data.rightDelete, data.rightList
			spoil(handle, data)
			return handle
		}
	}}
}

func broken() []brokenStore {
	var all []brokenStore
	for _, part := range [][]brokenStore{
		brokenValues(), brokenExpiry(), brokenVersions(), brokenRaces(), brokenDurable(), brokenKeys(),
		brokenContexts(), brokenLists(),
	} {
		all = append(all, part...)
	}
	return all
}
