package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/civicpin/civicpin/store"
)

const (
	// scanned is how many keys a primary is asked to look at in one step of a scan; others wait for so long.
	scanned = 1000
	// page is how many records are read at once.
	page = 100
)

// List implements [store.Lister]. It gathers the keys of all primaries and sorts them, which takes memory for all of them, and
// reads their records page by page. It holds nothing in Redis while the loop's body runs. While a cluster moves slots, keys
// that are on their way may be left out.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		keys, err := s.keys(ctx, prefix, after)
		if err != nil {
			yield(store.Item{}, wrap("list", err))
			return
		}
		for chunk := range slices.Chunk(keys, page) {
			items, err := s.read(ctx, chunk)
			if err != nil {
				yield(store.Item{}, wrap("list", err))
				return
			}
			for _, item := range items {
				if err := ctx.Err(); err != nil {
					yield(store.Item{}, wrap("list", err))
					return
				}
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// keys returns the keys of a listing in order. A scan may show one several times, and never lacks one that was there
// throughout.
func (s *Store) keys(ctx context.Context, prefix, after string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if prefix != "" && store.CheckKey(prefix) != nil {
		return nil, nil // no key begins so, and in a pattern it could mean something else
	}
	var mu sync.Mutex // primaries are scanned side by side
	var keys []string
	err := s.eachPrimary(ctx, func(ctx context.Context, c *redis.Client) error {
		for cursor := uint64(0); ; {
			found, next, err := c.Scan(ctx, cursor, s.prefix+prefix+"*", scanned).Result()
			if err != nil {
				return err
			}
			mu.Lock()
			for _, key := range found {
				if key = strings.TrimPrefix(key, s.prefix); key > after && store.CheckKey(key) == nil {
					keys = append(keys, strings.Clone(key)) // not with its prefix
				}
			}
			mu.Unlock()
			if cursor = next; cursor == 0 {
				return ctx.Err()
			}
		}
	})
	slices.Sort(keys)
	return slices.Compact(keys), err
}

// read returns the records of some keys that are still there, in their order.
func (s *Store) read(ctx context.Context, keys []string) ([]store.Item, error) {
	p := s.client.Pipeline()
	answers := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		answers[i] = p.Get(ctx, s.prefix+key)
	}
	// The error is that of the first that failed, which may be a missing one before a worse one.
	_, _ = p.Exec(ctx)
	items := make([]store.Item, 0, len(keys))
	for i, answer := range answers {
		b, err := answer.Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r, err := decode(b)
		if err != nil {
			return nil, err
		}
		items = append(items, store.Item{Key: keys[i], Record: r})
	}
	return items, nil
}

// eachPrimary calls f for every server that takes writes, perhaps at the same time.
func (s *Store) eachPrimary(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	switch c := s.client.(type) {
	case *redis.Client:
		return f(ctx, c)
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, f)
	}
	return fmt.Errorf("a client of type %T", s.client) // New lets none in
}
