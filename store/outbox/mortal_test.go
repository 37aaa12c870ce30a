package outbox_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/civicpin/civicpin/store"
)

var errDead = errors.New("this process is dead")

// mortal is a process's connection to a store, which ends when the process dies.
type mortal struct {
	*store.Memory
	dead atomic.Bool
}

func newMortal(s *store.Memory) *mortal { return &mortal{Memory: s} }

func (m *mortal) die() { m.dead.Store(true) }

func (m *mortal) Get(ctx context.Context, key string) (store.Record, error) {
	if m.dead.Load() {
		return store.Record{}, errDead
	}
	return m.Memory.Get(ctx, key)
}

func (m *mortal) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if m.dead.Load() {
		return 0, errDead
	}
	return m.Memory.Put(ctx, key, r)
}

func (m *mortal) Delete(ctx context.Context, key string, v store.Version) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Memory.Delete(ctx, key, v)
}

func (m *mortal) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	if m.dead.Load() {
		return func(yield func(store.Item, error) bool) { yield(store.Item{}, errDead) }
	}
	return m.Memory.List(ctx, prefix, after)
}
