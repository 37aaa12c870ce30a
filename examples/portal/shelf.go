package main

import (
	"context"
	"iter"
	"strings"

	"github.com/civicpin/civicpin/store"
)

// A shelf is the part of one database that belongs to one system: its keys begin with the system's name. Each system thereby
// has a vault of its own, as if it had a database of its own, and no two take each other's records for theirs.
type shelf struct {
	store.Lister
	prefix string
}

func (s shelf) Get(ctx context.Context, key string) (store.Record, error) {
	return s.Lister.Get(ctx, s.prefix+key)
}

func (s shelf) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	return s.Lister.Put(ctx, s.prefix+key, r)
}

func (s shelf) Delete(ctx context.Context, key string, v store.Version) error {
	return s.Lister.Delete(ctx, s.prefix+key, v)
}

func (s shelf) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	if after != "" {
		after = s.prefix + after
	}
	return func(yield func(store.Item, error) bool) {
		for item, err := range s.Lister.List(ctx, s.prefix+prefix, after) {
			item.Key = strings.TrimPrefix(item.Key, s.prefix)
			if !yield(item, err) {
				return
			}
		}
	}
}
