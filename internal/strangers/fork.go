package strangers

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/civicpin/civicpin/store"
)

// A fork is a store on which something can be tried: what is written in the meantime is dropped afterwards.
type fork struct {
	base *store.Memory

	mu     sync.Mutex
	trying bool
	over   map[string]store.Record // by key; a zero Version says that the record was deleted
	next   store.Version
}

var _ store.Lister = (*fork)(nil)

// firstTried is beyond all versions of the store below.
const firstTried store.Version = 1 << 40

func newFork() *fork { return &fork{base: store.NewMemory(), next: firstTried} }

// try does something, and undoes what it wrote. Versions do not come twice.
func (f *fork) try(do func()) {
	f.set(true)
	defer f.set(false)
	do()
}

func (f *fork) set(trying bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trying, f.over = trying, make(map[string]store.Record)
}

// Get implements [store.Store].
func (f *fork) Get(ctx context.Context, key string) (store.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.over[key]; ok {
		if r.Version == 0 {
			return store.Record{}, store.ErrNotFound
		}
		r.Value = bytes.Clone(r.Value)
		return r, nil
	}
	return f.base.Get(ctx, key)
}

// Put implements [store.Store].
func (f *fork) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	return f.write(ctx, key, r.Version, func() (store.Version, error) { return f.base.Put(ctx, key, r) }, func() store.Version {
		f.next++
		r.Version, r.Value = f.next, append([]byte{}, r.Value...)
		f.over[key] = r
		return r.Version
	})
}

// Delete implements [store.Store].
func (f *fork) Delete(ctx context.Context, key string, v store.Version) error {
	_, err := f.write(ctx, key, v, func() (store.Version, error) { return 0, f.base.Delete(ctx, key, v) }, func() store.Version {
		f.over[key] = store.Record{}
		return 0
	})
	return err
}

// write writes below, or above while something is tried and the record is at a version.
func (f *fork) write(ctx context.Context, key string, at store.Version, below func() (store.Version, error),
	above func() store.Version,
) (store.Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.trying {
		return below()
	}
	now, ok := f.over[key]
	if !ok {
		now, _ = f.base.Get(ctx, key) // a memory fails only where there is none
	}
	if now.Version != at {
		return 0, store.ErrConflict
	}
	return above(), nil
}

// List implements [store.Lister].
func (f *fork) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		f.mu.Lock()
		over := maps.Clone(f.over)
		f.mu.Unlock()
		var items []store.Item
		for item, err := range f.base.List(ctx, prefix, after) {
			if err != nil {
				yield(item, err)
				return
			}
			if _, ok := over[item.Key]; !ok {
				items = append(items, item)
			}
		}
		for key, r := range over {
			if r.Version != 0 && key > after && strings.HasPrefix(key, prefix) {
				items = append(items, store.Item{Key: key, Record: r})
			}
		}
		slices.SortFunc(items, func(a, b store.Item) int { return strings.Compare(a.Key, b.Key) })
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}
