package storetest_test

import (
	"context"
	"iter"
	"maps"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

// slowPut has Put take its time.
func slowPut(e *engine) {
	e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
		time.Sleep(2 * time.Millisecond)
		return e.rightPut(ctx, key, r)
	}
}

func brokenDurable() []brokenStore {
	const seen = "A write that was acknowledged"
	buffered := func(most int) func(handle, data *engine) {
		return func(handle, data *engine) {
			// Writes go to the handle's copy, and reach the data when there are enough of them.
			handle.records, handle.last = maps.Clone(data.records), data.last
			unsaved := 0
			handle.get, handle.del = handle.rightGet, handle.rightDelete
			handle.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				v, err := handle.rightPut(ctx, key, r)
				handle.mu.Lock()
				defer handle.mu.Unlock()
				if unsaved++; unsaved == most {
					data.records, unsaved = maps.Clone(handle.records), 0
				}
				return v, err
			}
		}
	}
	return []brokenStore{
		one(seen, "at once, by many readers", "a replica that lags", func(e *engine) {
			old := make(map[string]store.Record)
			var mu sync.Mutex
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				mu.Lock()
				defer mu.Unlock()
				if before, ok := e.peek(key); ok {
					old[key] = before
					time.AfterFunc(2*time.Millisecond, func() {
						mu.Lock()
						defer mu.Unlock()
						delete(old, key)
					})
				}
				return e.rightPut(ctx, key, r)
			}
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				mu.Lock()
				defer mu.Unlock()
				if r, ok := old[key]; ok {
					return r, nil
				}
				return e.rightGet(ctx, key)
			}
		}),
		each(seen, "second handle", "a cache in each", func(handle, data *engine) {
			handle.get = func(ctx context.Context, key string) (store.Record, error) {
				if r, err := handle.rightGet(ctx, key); err == nil {
					return r, nil
				}
				r, err := data.rightGet(ctx, key)
				if err == nil {
					handle.records[key] = r
				}
				return r, err
			}
		}),
		each(seen, "second handle", "nothing in common", func(handle, _ *engine) {
			handle.get, handle.put, handle.del = nil, nil, nil
		}),
		each(seen, "close and reopen", "only in memory", buffered(1<<30)),
		each(seen, "close and reopen", "closing fails", func(handle, _ *engine) {
			handle.end = func() error { return context.DeadlineExceeded }
		}),
		each(seen, "closed right after many writes", "every tenth write is saved", buffered(10)),
	}
}

func brokenContexts() []brokenStore {
	const done, broken = "A method whose context", "It, or any other error"
	return []brokenStore{
		one(done, "Get", "ignored", func(e *engine) {
			e.get = func(_ context.Context, key string) (store.Record, error) {
				return e.rightGet(context.Background(), key)
			}
		}),
		one(done, "Get", "not found, it says", func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				r, err := e.rightGet(ctx, key)
				if err != nil {
					err = store.ErrNotFound
				}
				return r, err
			}
		}),
		one(done, "Put", "ignored", func(e *engine) {
			e.put = func(_ context.Context, key string, r store.Record) (store.Version, error) {
				return e.rightPut(context.Background(), key, r)
			}
		}),
		one(done, "Put", "a conflict, it says", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				v, err := e.rightPut(ctx, key, r)
				if err != nil {
					err = store.ErrConflict
				}
				return v, err
			}
		}),
		one(done, "Delete", "ignored", func(e *engine) {
			e.del = func(_ context.Context, key string, v store.Version) error {
				return e.rightDelete(context.Background(), key, v)
			}
		}),
		one(done, "List", "ignored", func(e *engine) {
			e.list = func(_ context.Context, prefix, after string) iter.Seq2[store.Item, error] {
				return e.rightList(context.Background(), prefix, after)
			}
		}),
		one(done, "List", "empty", func(e *engine) {
			e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
				if ctx.Err() != nil {
					return func(func(store.Item, error) bool) {}
				}
				return e.rightList(ctx, prefix, after)
			}
		}),
		one(broken, "Put broken off", "removes before it writes", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				old, _ := e.peek(key)
				if old.Version != r.Version {
					return 0, store.ErrConflict
				}
				e.remove(key)
				if time.Sleep(2 * time.Millisecond); ctx.Err() != nil {
					return 0, ctx.Err()
				}
				return e.force(key, r), nil
			}
		}),
		one(broken, "Put broken off", "acknowledged, then undone", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				time.Sleep(2 * time.Millisecond)
				old, there := e.peek(key)
				v, err := e.rightPut(context.WithoutCancel(ctx), key, r)
				if ctx.Err() != nil && there && err == nil {
					e.force(key, old)
				}
				return v, err
			}
		}),
		one(broken, "Put broken off", "a conflict, it says", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if time.Sleep(2 * time.Millisecond); ctx.Err() != nil {
					return 0, store.ErrConflict
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(broken, "Delete broken off", "done, it says", func(e *engine) {
			slowPut(e)
			e.del = func(ctx context.Context, key string, v store.Version) error {
				if time.Sleep(2 * time.Millisecond); ctx.Err() != nil {
					return nil
				}
				return e.rightDelete(ctx, key, v)
			}
		}),
		one(broken, "Delete broken off", "wipes before it removes", func(e *engine) {
			slowPut(e)
			e.del = func(ctx context.Context, key string, v store.Version) error {
				e.force(key, store.Record{})
				if time.Sleep(2 * time.Millisecond); ctx.Err() != nil {
					return ctx.Err()
				}
				e.remove(key)
				return nil
			}
		}),
	}
}
