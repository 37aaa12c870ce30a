package storetest_test

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

// An engine is a correct store that is easy to break: each method can be replaced, and the replacement can still use the
// engine's own.
type engine struct {
	mu      sync.Mutex
	records map[string]store.Record
	last    store.Version

	get  func(ctx context.Context, key string) (store.Record, error)
	put  func(ctx context.Context, key string, r store.Record) (store.Version, error)
	del  func(ctx context.Context, key string, v store.Version) error
	list func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error]
	end  func() error
}

var _ store.Lister = (*engine)(nil)

func newEngine() *engine { return &engine{records: make(map[string]store.Record)} }

func (e *engine) Get(ctx context.Context, key string) (store.Record, error) {
	if e.get != nil {
		return e.get(ctx, key)
	}
	return e.rightGet(ctx, key)
}

func (e *engine) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if e.put != nil {
		return e.put(ctx, key, r)
	}
	return e.rightPut(ctx, key, r)
}

func (e *engine) Delete(ctx context.Context, key string, v store.Version) error {
	if e.del != nil {
		return e.del(ctx, key, v)
	}
	return e.rightDelete(ctx, key, v)
}

func (e *engine) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	if e.list != nil {
		return e.list(ctx, prefix, after)
	}
	return e.rightList(ctx, prefix, after)
}

func (e *engine) Close() error {
	if e.end != nil {
		return e.end()
	}
	return nil
}

func begin(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return store.CheckKey(key)
}

func (e *engine) rightGet(ctx context.Context, key string) (store.Record, error) {
	if err := begin(ctx, key); err != nil {
		return store.Record{}, err
	}
	r, ok := e.peek(key)
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	return r, nil
}

func (e *engine) rightPut(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if err := begin(ctx, key); err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.records[key].Version != r.Version {
		return 0, store.ErrConflict
	}
	return e.set(key, r), nil
}

func (e *engine) rightDelete(ctx context.Context, key string, v store.Version) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r, ok := e.records[key]; !ok || r.Version != v {
		return store.ErrConflict
	}
	delete(e.records, key)
	return nil
}

func (e *engine) rightList(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		for _, key := range e.keys(prefix, after) {
			if err := ctx.Err(); err != nil {
				yield(store.Item{}, err)
				return
			}
			if r, ok := e.peek(key); ok && !yield(store.Item{Key: key, Record: r}, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(store.Item{}, err)
		}
	}
}

// peek returns a record without any rule but copying.
func (e *engine) peek(key string) (store.Record, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.records[key]
	r.Value = bytes.Clone(r.Value)
	return r, ok
}

// force writes a record without any condition.
func (e *engine) force(key string, r store.Record) store.Version {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.set(key, r)
}

// set is force with e.mu held.
func (e *engine) set(key string, r store.Record) store.Version {
	e.last++
	r.Version = e.last
	r.Value = bytes.Clone(r.Value)
	e.records[key] = r
	return r.Version
}

func (e *engine) remove(key string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.records, key)
}

func (e *engine) keys(prefix, after string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var keys []string
	for key := range e.records {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// expired reports whether a record's time is over.
func expired(r store.Record) bool { return !r.ExpiresAt.IsZero() && time.Now().After(r.ExpiresAt) }

// hiding lets the engine drop what has expired whenever it is touched, as engines with a time to live do.
func (e *engine) hiding() *engine {
	drop := func(key string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if expired(e.records[key]) {
			delete(e.records, key)
		}
	}
	e.get = func(ctx context.Context, key string) (store.Record, error) { drop(key); return e.rightGet(ctx, key) }
	e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
		drop(key)
		return e.rightPut(ctx, key, r)
	}
	e.del = func(ctx context.Context, key string, v store.Version) error {
		drop(key)
		return e.rightDelete(ctx, key, v)
	}
	e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
		for _, key := range e.keys(prefix, after) {
			drop(key)
		}
		return e.rightList(ctx, prefix, after)
	}
	return e
}
