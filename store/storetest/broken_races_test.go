package storetest_test

import (
	"context"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

func brokenRaces() []brokenStore {
	const races, safe = "Of any number", "All methods are safe"
	return []brokenStore{
		one(races, "64 creates", "looks, then writes", split(true, false)),
		one(races, "64 replacements", "looks, then writes", split(true, false)),
		one(races, "64 replacements", "all lose", func(e *engine) {
			var running sync.Map
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if _, busy := running.LoadOrStore(key, true); busy || r.Version != 0 {
					return 0, store.ErrConflict
				}
				defer running.Delete(key)
				return e.rightPut(ctx, key, r)
			}
		}),
		one(races, "64 replacements", "an error of the engine", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				v, err := e.rightPut(ctx, key, r)
				if err != nil {
					err = context.DeadlineExceeded // "could not serialize"
				}
				return v, err
			}
		}),
		one(races, "64 deletions", "looks, then removes", split(false, true)),
		one(races, "32 replacements and 32 deletions", "a lock for each", func(e *engine) {
			split(true, true)(e)
			var puts, deletes sync.Mutex
			put, del := e.put, e.del
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				puts.Lock()
				defer puts.Unlock()
				return put(ctx, key, r)
			}
			e.del = func(ctx context.Context, key string, v store.Version) error {
				deletes.Lock()
				defer deletes.Unlock()
				return del(ctx, key, v)
			}
		}),
		one(races, "no lost update", "looks, then writes", split(true, false)),
		one(races, "a long mix", "looks, then writes", split(true, true)),
		one(races, "a long mix", "versions begin again", perKey),
		each(races, "over two handles", "a lock for each", func(handle, data *engine) {
			var mu sync.Mutex
			split(true, true)(data)
			put := data.put
			handle.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				mu.Lock()
				defer mu.Unlock()
				return put(ctx, key, r)
			}
		}),

		one(safe, "each goroutine its own keys", "one cursor for all", func(e *engine) {
			var mu sync.Mutex
			var cursor string
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				mu.Lock()
				cursor = key
				mu.Unlock()
				pause()
				mu.Lock()
				key = cursor
				mu.Unlock()
				return e.rightGet(ctx, key)
			}
		}),
		one(safe, "no torn value", "reads in halves", func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				r, err := e.rightGet(ctx, key)
				pause()
				now, _ := e.peek(key)
				half := len(r.Value) / 2
				r.Value = append(r.Value[:half], now.Value[half:]...)
				return r, err
			}
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				time.Sleep(100 * time.Microsecond)
				return e.rightPut(ctx, key, r)
			}
		}),
	}
}
