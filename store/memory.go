package store

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// memoryShards bounds how many goroutines wait for one lock.
const memoryShards = 64

// Memory is a [Store] and [Lister] in the memory of one process: for tests, and for what may be lost at a restart. It drops no
// record by itself; call [Vault.Purge] now and then. Beside other stores, in [NewRouter], it counts as one that forgets. As the
// only store it does not: with all records gone at once, nothing is left to attack. The zero Memory is not usable; call
// [NewMemory].
type Memory struct {
	seed     maphash.Seed
	versions atomic.Uint64 // one sequence for all keys, so that no version of any key comes twice
	shards   [memoryShards]memoryShard
}

type memoryShard struct {
	mu      sync.RWMutex
	records map[string]Record
}

var _ Lister = (*Memory)(nil)

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	m := &Memory{seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].records = make(map[string]Record)
	}
	return m
}

func (m *Memory) shard(key string) *memoryShard {
	return &m.shards[maphash.String(m.seed, key)%memoryShards]
}

// Get implements [Store], and returns its errors.
func (m *Memory) Get(ctx context.Context, key string) (Record, error) {
	if err := begin(ctx, key); err != nil {
		return Record{}, err
	}
	s := m.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.records[key]
	if !ok {
		return Record{}, ErrNotFound
	}
	r.Value = bytes.Clone(r.Value)
	return r, nil
}

// Put implements [Store], and returns its errors.
func (m *Memory) Put(ctx context.Context, key string, r Record) (Version, error) {
	if err := begin(ctx, key); err != nil {
		return 0, err
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[key].Version != r.Version {
		return 0, ErrConflict
	}
	r.Version = Version(m.versions.Add(1))
	r.Value = append([]byte{}, r.Value...)
	s.records[key] = r
	return r.Version, nil
}

// Delete implements [Store], and returns its errors.
func (m *Memory) Delete(ctx context.Context, key string, v Version) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.records[key]; !ok || old.Version != v {
		return ErrConflict
	}
	delete(s.records, key)
	return nil
}

// List implements [Lister].
func (m *Memory) List(ctx context.Context, prefix, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Item{}, fmt.Errorf("store: %w", err))
			return
		}
		var keys []string
		for i := range m.shards {
			s := &m.shards[i]
			s.mu.RLock()
			for key := range s.records {
				if strings.HasPrefix(key, prefix) && key > after {
					keys = append(keys, key)
				}
			}
			s.mu.RUnlock()
		}
		slices.Sort(keys)
		for _, key := range keys {
			r, err := m.Get(ctx, key)
			if err == ErrNotFound {
				continue // deleted since
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			if !yield(Item{Key: key, Record: r}, nil) {
				return
			}
		}
	}
}

// begin does what every method of a store does first.
func begin(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return CheckKey(key)
}
