package storetest_test

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/civicpin/civicpin/store"
)

// picking lists the keys that pick chooses of all keys, in its order.
func picking(pick func(all []string, prefix, after string) []string) func(*engine) {
	return func(e *engine) {
		e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
			return func(yield func(store.Item, error) bool) {
				for _, key := range pick(e.keys("", ""), prefix, after) {
					if r, ok := e.peek(key); ok && !yield(store.Item{Key: key, Record: r}, nil) {
						return
					}
				}
			}
		}
	}
}

// matching lists the keys that match, greater than after.
func matching(match func(key, prefix string) bool) func(*engine) {
	return picking(func(all []string, prefix, after string) []string {
		return slices.DeleteFunc(all, func(key string) bool { return !match(key, prefix) || key <= after })
	})
}

// offset lists in pages of 20 that skip what was yielded before.
func offset(e *engine) {
	e.list = func(_ context.Context, prefix, after string) iter.Seq2[store.Item, error] {
		return func(yield func(store.Item, error) bool) {
			for skip := 0; ; skip += 20 {
				keys := e.keys(prefix, after)
				keys = keys[min(skip, len(keys)):]
				if len(keys) == 0 {
					return
				}
				pause()
				for _, key := range keys[:min(20, len(keys))] {
					if r, ok := e.peek(key); ok && !yield(store.Item{Key: key, Record: r}, nil) {
						return
					}
				}
			}
		}
	}
}

// byVersion lists in the order of versions, which rewriting changes.
func byVersion(e *engine) {
	e.list = func(_ context.Context, prefix, after string) iter.Seq2[store.Item, error] {
		return func(yield func(store.Item, error) bool) {
			for range 1000 {
				keys := e.keys(prefix, after)
				if len(keys) == 0 {
					return
				}
				first := slices.MinFunc(keys, func(a, b string) int {
					ra, _ := e.peek(a)
					rb, _ := e.peek(b)
					return cmp.Compare(ra.Version, rb.Version)
				})
				r, _ := e.peek(first)
				if !yield(store.Item{Key: first, Record: r}, nil) {
					return
				}
			}
		}
	}
}

// lockedList has the loop hold a lock.
func lockedList(e *engine, mu *sync.Mutex) {
	e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
		return func(yield func(store.Item, error) bool) {
			mu.Lock()
			defer mu.Unlock()
			e.rightList(ctx, prefix, after)(yield)
		}
	}
}

// locked has the loop hold a lock that Get needs too.
func locked(e *engine) {
	var mu sync.Mutex
	lockedList(e, &mu)
	e.get = func(ctx context.Context, key string) (store.Record, error) {
		mu.Lock()
		defer mu.Unlock()
		return e.rightGet(ctx, key)
	}
}

// pooled takes one of ten connections and gives it back only when the loop runs to its end.
func pooled(e *engine) {
	pool := make(chan struct{}, 10)
	e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
		return func(yield func(store.Item, error) bool) {
			pool <- struct{}{}
			for item, err := range e.rightList(ctx, prefix, after) {
				if !yield(item, err) {
					return
				}
			}
			<-pool
		}
	}
}

func brokenLists() []brokenStore {
	const yields, once = "List yields the items", "Items that were there"
	const calls, ends = "The loop may call", "After an error"
	return []brokenStore{
		one(yields, "prefix and nothing else", "LIKE", matching(func(key, prefix string) bool {
			for i := range len(prefix) {
				if i == len(key) || prefix[i] != '_' && prefix[i] != key[i] {
					return false
				}
			}
			return true
		})),
		one(yields, "prefix and nothing else", "any case", matching(func(key, prefix string) bool {
			return strings.HasPrefix(strings.ToLower(key), strings.ToLower(prefix))
		})),
		one(yields, "prefix and nothing else", "a folder", matching(func(key, prefix string) bool {
			return strings.HasPrefix(key, strings.TrimSuffix(prefix, "/")+"/")
		})),
		one(yields, "after", "ignored", picking(func(all []string, prefix, _ string) []string {
			return slices.DeleteFunc(all, func(key string) bool { return !strings.HasPrefix(key, prefix) })
		})),
		one(yields, "after", "included", picking(func(all []string, prefix, after string) []string {
			return slices.DeleteFunc(all, func(key string) bool { return !strings.HasPrefix(key, prefix) || key < after })
		})),
		one(yields, "after", "must be a key", picking(func(all []string, prefix, after string) []string {
			all = slices.DeleteFunc(all, func(key string) bool { return !strings.HasPrefix(key, prefix) })
			return all[slices.Index(all, after)+1:]
		})),
		one(yields, "order", "of a dictionary", picking(func(all []string, prefix, after string) []string {
			all = slices.DeleteFunc(all, func(key string) bool { return !strings.HasPrefix(key, prefix) || key <= after })
			slices.SortFunc(all, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
			return all
		})),
		one(yields, "order", "descending", picking(func(all []string, prefix, after string) []string {
			all = slices.DeleteFunc(all, func(key string) bool { return !strings.HasPrefix(key, prefix) || key <= after })
			slices.Reverse(all)
			return all
		})),
		one(yields, "more than a page", "the first page", func(e *engine) {
			n := 0
			listing(func(*store.Item) bool { n++; return n <= 256 })(e)
		}),
		one(yields, "what Get returns", "no version", listing(func(item *store.Item) bool { item.Version = 0; return true })),
		one(yields, "what Get returns", "no value", listing(func(item *store.Item) bool { item.Value = nil; return true })),
		one(yields, "nothing", "an error", func(e *engine) {
			e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
				if len(e.keys(prefix, after)) == 0 {
					return func(yield func(store.Item, error) bool) { yield(store.Item{}, store.ErrNotFound) }
				}
				return e.rightList(ctx, prefix, after)
			}
		}),
		one(yields, "nothing", "the deleted too", func(e *engine) {
			var dead []string
			e.del = func(ctx context.Context, key string, v store.Version) error {
				dead = append(dead, key)
				return e.rightDelete(ctx, key, v)
			}
			e.list = func(context.Context, string, string) iter.Seq2[store.Item, error] {
				return func(yield func(store.Item, error) bool) {
					for _, key := range append(e.keys("", ""), dead...) {
						if r, _ := e.peek(key); !yield(store.Item{Key: key, Record: r}, nil) {
							return
						}
					}
				}
			}
		}),

		one(once, "deleting each item within the loop", "skips by number", offset),
		one(once, "rewriting each item within the loop", "in order of versions", byVersion),
		one(once, "while others write", "skips by number", offset),

		one(calls, "Get, Put and Delete", "holds a lock", locked),
		one(calls, "List", "one connection", func(e *engine) { lockedList(e, new(sync.Mutex)) }),
		one(calls, "after an early break", "keeps the connection", pooled),

		one(ends, "context done before", "an error for each item", func(e *engine) {
			e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
				return func(yield func(store.Item, error) bool) {
					for range e.keys(prefix, after) {
						if !yield(store.Item{}, ctx.Err()) {
							return
						}
					}
				}
			}
		}),
		one(ends, "context done within the loop", "goes on", func(e *engine) {
			e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
				return func(yield func(store.Item, error) bool) {
					for _, key := range e.keys(prefix, after) {
						r, err := e.rightGet(ctx, key)
						if !yield(store.Item{Key: key, Record: r}, err) {
							return
						}
					}
				}
			}
		}),
		one(ends, "context done within the loop", "silently", func(e *engine) {
			e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
				return func(yield func(store.Item, error) bool) {
					for item, err := range e.rightList(ctx, prefix, after) {
						if err != nil || !yield(item, nil) {
							return
						}
					}
				}
			}
		}),
	}
}
