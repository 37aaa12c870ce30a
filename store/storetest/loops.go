package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/civicpin/civicpin/store"
)

// listDeleting finds lists that count what they skip: each deletion moves the rest up.
func listDeleting(f *fixture) {
	p := unique() + "/"
	keys := f.createMany(p, many)
	f.whileListing(p, keys, func(item store.Item) error {
		return f.store.Delete(f.Context(), item.Key, item.Version)
	})
	f.lists(p, "")
}

func listRewriting(f *fixture) {
	p := unique() + "/"
	keys := f.createMany(p, many)
	f.whileListing(p, keys, func(item store.Item) error {
		_, err := f.store.Put(f.Context(), item.Key, item.Record)
		return err
	})
	f.lists(p, "", keys...)
}

// whileListing checks that each of keys is yielded exactly once and in order, and does something about it within the
// loop. Other keys may come between them.
func (f *fixture) whileListing(prefix string, keys []string, do func(store.Item) error) {
	f.Helper()
	var yielded []string
	var failed error
	f.within("a loop over List", func() {
		for item, err := range f.store.(store.Lister).List(f.Context(), prefix, "") {
			if err == nil && do != nil {
				err = do(item)
			}
			if err != nil {
				failed = err
				return
			}
			yielded = append(yielded, item.Key)
		}
	})
	if failed != nil {
		f.Fatalf("in a loop over List: %v", failed)
	}
	if !slices.IsSorted(yielded) || len(slices.Compact(slices.Clone(yielded))) != len(yielded) {
		f.Errorf("List yields keys out of order or twice")
	}
	seen := 0
	for _, key := range keys {
		if slices.Contains(yielded, key) {
			seen++
		}
	}
	if seen != len(keys) {
		f.Errorf("List yields %d of %d items that were there throughout", seen, len(keys))
	}
}

func listBusy(f *fixture) {
	p := unique() + "/"
	keys := f.createMany(p, many)
	var stay []string
	for i, key := range keys {
		if i%3 == 0 {
			stay = append(stay, key)
		}
	}
	var stop atomic.Bool
	done := make(chan error, 1)
	defer func() {
		stop.Store(true)
		if err := <-done; err != nil {
			f.Errorf("writing while another lists: %v", err)
		}
	}()
	go func() {
		done <- func() error {
			for i := 0; !stop.Load(); i = (i + 7) % many {
				key := keys[i]
				r, err := f.store.Get(f.Context(), key)
				switch {
				case errors.Is(err, store.ErrNotFound):
					_, err = f.store.Put(f.Context(), key, store.Record{Value: []byte("back")})
				case err == nil && i%3 == 0:
					_, err = f.store.Put(f.Context(), key, r)
				case err == nil:
					err = f.store.Delete(f.Context(), key, r.Version)
				}
				if err == nil && i%5 == 0 {
					_, err = f.store.Put(f.Context(), fmt.Sprintf("%s-%06d", key, rand.IntN(1_000_000)), store.Record{})
				}
				if err != nil && !errors.Is(err, store.ErrConflict) {
					return err
				}
			}
			return nil
		}()
	}()
	for range 4 {
		f.whileListing(p, stay, nil)
	}
}

func listCalling(f *fixture) {
	p := unique() + "/"
	keys := f.createMany(p, 20)
	f.whileListing(p, keys, func(item store.Item) error {
		r, err := f.store.Get(f.Context(), item.Key)
		if err != nil {
			return err
		}
		v, err := f.store.Put(f.Context(), unique(), store.Record{Value: r.Value})
		if err != nil || v == 0 {
			return fmt.Errorf("Put: version %d, error %w", v, err)
		}
		return f.store.Delete(f.Context(), item.Key, r.Version)
	})
}

func listNested(f *fixture) {
	p := unique() + "/"
	keys := f.create(p+"a", p+"b", p+"c")
	f.whileListing(p, keys, func(outer store.Item) error {
		n := 0
		for _, err := range f.store.(store.Lister).List(f.Context(), p, "") {
			if err != nil {
				return err
			}
			n++
		}
		if n != len(keys) {
			return fmt.Errorf("a List within the loop yields %d items at %q, want %d", n, outer.Key, len(keys))
		}
		return nil
	})
}

// listBreak leaves more loops early than a pool has connections.
func listBreak(f *fixture) {
	p := unique() + "/"
	keys := f.createMany(p, 20)
	var failed error
	f.within("the store after 40 loops over List that were left early", func() {
		for i := range 40 {
			n := 0
			for _, err := range f.store.(store.Lister).List(f.Context(), p, "") {
				if n++; err != nil || n > i%4 {
					failed = errors.Join(failed, err)
					break
				}
			}
			if _, err := f.store.Put(f.Context(), unique(), store.Record{Value: []byte("x")}); err != nil {
				failed = errors.Join(failed, err)
			}
		}
	})
	if failed != nil {
		f.Errorf("a loop over List that is left early, then Put: %v", failed)
	}
	f.lists(p, "", keys...)
}

func listEndsBefore(f *fixture) {
	p := unique() + "/"
	f.create(p+"a", p+"b", p+"c")
	f.doneContexts(func(ctx context.Context) {
		f.ends(ctx, p, 3, func(int) {})
	})
}

func listEndsWithin(f *fixture) {
	p := unique() + "/"
	keys := f.createMany(p, many)
	for _, at := range []int{1, 2, many / 2} {
		ctx, cancel := context.WithCancel(f.Context())
		f.ends(ctx, p, len(keys), func(n int) {
			if n == at {
				cancel()
			}
		})
		cancel()
	}
}

// ends checks that a sequence, whose context may end meanwhile, yields either everything or an error, and nothing after
// it: who purges or seals anew would otherwise take the part for the whole.
func (f *fixture) ends(ctx context.Context, prefix string, all int, step func(n int)) {
	f.Helper()
	n := 0
	var failed error
	for item, err := range f.store.(store.Lister).List(ctx, prefix, "") {
		if failed != nil {
			f.Errorf("List yields an item or a second error after %v", failed)
			break
		}
		if failed = err; err == nil {
			n++
			step(n)
			if !strings.HasPrefix(item.Key, prefix) {
				f.Errorf("List yields %q for prefix %q", item.Key, prefix)
			}
		} else if item.Key != "" || item.Value != nil {
			f.Errorf("List yields an item beside its error")
		}
	}
	if failed == nil && n != all {
		f.Errorf("List ends without an error after %d of %d items", n, all)
	}
}
