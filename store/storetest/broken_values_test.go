package storetest_test

import (
	"bytes"
	"context"
	"iter"
	"time"

	"github.com/civicpin/civicpin/store"
)

// storing lets a change be made to what is put.
func storing(change func(r *store.Record)) func(*engine) {
	return func(e *engine) {
		e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
			change(&r)
			return e.rightPut(ctx, key, r)
		}
	}
}

// reading lets a change be made to what Get returns.
func reading(change func(key string, r *store.Record)) func(*engine) {
	return func(e *engine) {
		e.get = func(ctx context.Context, key string) (store.Record, error) {
			r, err := e.rightGet(ctx, key)
			if err == nil {
				change(key, &r)
			}
			return r, err
		}
	}
}

// listing lets a change be made to what List yields; false leaves the item out.
func listing(change func(item *store.Item) bool) func(*engine) {
	return func(e *engine) {
		e.list = func(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
			return func(yield func(store.Item, error) bool) {
				for item, err := range e.rightList(ctx, prefix, after) {
					if err == nil && !change(&item) {
						continue
					}
					if !yield(item, err) {
						return
					}
				}
			}
		}
	}
}

// value makes a change to the bytes only.
func value(change func([]byte) []byte) func(*engine) {
	return storing(func(r *store.Record) { r.Value = change(r.Value) })
}

// expiry makes a change to the time only.
func expiry(change func(time.Time) time.Time) func(*engine) {
	return storing(func(r *store.Record) {
		if !r.ExpiresAt.IsZero() {
			r.ExpiresAt = change(r.ExpiresAt)
		}
	})
}

func brokenValues() []brokenStore {
	const get, copied, empty = "Get returns the last", "Bytes are copied", "An empty value"
	return []brokenStore{
		one(get, "missing key", "found, and empty", func(e *engine) {
			e.get = func(_ context.Context, key string) (store.Record, error) { r, _ := e.peek(key); return r, nil }
		}),
		one(get, "missing key", "the next key", func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				if keys := e.keys(key, ""); len(keys) > 0 {
					key = keys[0]
				}
				return e.rightGet(ctx, key)
			}
		}),
		one(get, "value", "unchanged values are no write", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if old, ok := e.peek(key); ok && bytes.Equal(old.Value, r.Value) {
					return 0, store.ErrConflict // "0 rows changed"
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(get, "value", "appends", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				old, _ := e.peek(key)
				r.Value = append(old.Value, r.Value...)
				return e.rightPut(ctx, key, r)
			}
		}),
		one(get, "binary values", "ends at NUL", value(func(b []byte) []byte { b, _, _ = bytes.Cut(b, []byte{0}); return b })),
		one(get, "binary values", "trims", value(bytes.TrimSpace)),
		one(get, "binary values", "only UTF-8", value(func(b []byte) []byte { return bytes.ToValidUTF8(b, []byte("?")) })),
		one(get, "binary values", "padding is cut off", value(func(b []byte) []byte { return bytes.TrimRight(b, "\x00") })),
		one(get, "value of 256 KiB", "at most 64 KiB", value(func(b []byte) []byte { return b[:min(len(b), 64<<10)] })),
		one(get, "each key its own", "replaces by prefix", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if r.Version != 0 {
					for _, k := range e.keys(key+"0", "") {
						e.force(k, r)
					}
				}
				return e.rightPut(ctx, key, r)
			}
		}),

		one(copied, "in", "keeps the caller's slice", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				v, err := e.rightPut(ctx, key, r)
				if err == nil {
					e.mu.Lock()
					defer e.mu.Unlock()
					e.records[key] = store.Record{Value: r.Value, Version: v, ExpiresAt: r.ExpiresAt}
				}
				return v, err
			}
		}),
		one(copied, "out", "hands out its own slice", func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				if r, err := e.rightGet(ctx, key); err != nil {
					return r, err
				}
				e.mu.Lock()
				defer e.mu.Unlock()
				return e.records[key], nil
			}
		}),
		one(copied, "out of two reads", "one copy for all readers", func(e *engine) {
			copies := make(map[store.Version][]byte)
			reading(func(_ string, r *store.Record) {
				if copies[r.Version] == nil {
					copies[r.Version] = r.Value
				}
				r.Value = copies[r.Version]
			})(e)
		}),
		one(copied, "out of two reads", "one buffer for a connection", func(e *engine) {
			buffer := make([]byte, 1024)
			reading(func(_ string, r *store.Record) { r.Value = buffer[:copy(buffer, r.Value)] })(e)
		}),
		one(copied, "out of a list", "cuts items from a page", func(e *engine) {
			var page []byte
			listing(func(item *store.Item) bool {
				if page == nil {
					page = make([]byte, 0, 4096)
				}
				n := len(page)
				page = append(page, item.Value...)
				item.Value = page[n:]
				return true
			})(e)
		}),
		one(copied, "out of a list", "hands out its own slice", func(e *engine) {
			listing(func(item *store.Item) bool {
				e.mu.Lock()
				defer e.mu.Unlock()
				item.Value = e.records[item.Key].Value
				return true
			})(e)
		}),

		one(empty, "created", "empty is missing", func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				r, err := e.rightGet(ctx, key)
				if err == nil && len(r.Value) == 0 {
					return store.Record{}, store.ErrNotFound
				}
				return r, err
			}
		}),
		one(empty, "replacing", "empty leaves the old value", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if old, ok := e.peek(key); ok && len(r.Value) == 0 {
					r.Value = old.Value
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(empty, "listed", "empty is left out", listing(func(item *store.Item) bool { return len(item.Value) > 0 })),
	}
}

func brokenExpiry() []brokenStore {
	const expires, engineMay = "ExpiresAt comes back", "An engine may drop"
	const atOnce = "at once or a second later"
	return []brokenStore{
		one(expires, atOnce, "cut to the second", expiry(func(t time.Time) time.Time {
			return t.Truncate(time.Second)
		})),
		one(expires, atOnce, "cut to the millisecond", expiry(func(t time.Time) time.Time {
			return t.Truncate(time.Millisecond)
		})),
		one(expires, atOnce, "rounded to the nearest", expiry(func(t time.Time) time.Time {
			return t.Round(time.Microsecond)
		})),
		one(expires, atOnce, "up to two seconds later", expiry(func(t time.Time) time.Time {
			return t.Add(2 * time.Second).Truncate(time.Second)
		})),
		one(expires, "far away", "32 bits", expiry(func(t time.Time) time.Time {
			return time.Unix(int64(int32(t.Unix())), 999_999_999)
		})),
		one(expires, "far away", "32 bits without a sign", expiry(func(t time.Time) time.Time {
			return time.Unix(int64(uint32(t.Unix())), 999_999_999)
		})),
		one(expires, "zero", "is 1970", reading(func(_ string, r *store.Record) {
			if r.ExpiresAt.IsZero() {
				r.ExpiresAt = time.Unix(0, 0)
			}
		})),
		one(expires, "replaced", "zero leaves the old one", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if old, ok := e.peek(key); ok && r.ExpiresAt.IsZero() {
					r.ExpiresAt = old.ExpiresAt
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(expires, "in other time zones", "the wall clock of whoever writes", expiry(func(t time.Time) time.Time {
			t, _ = time.Parse(time.DateTime+".999999999", t.Format(time.DateTime+".999999999"))
			return t
		})),
		one(expires, "listed", "not told", listing(func(item *store.Item) bool { item.ExpiresAt = time.Time{}; return true })),

		one(engineMay, "never before", "whole seconds to live", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				v, err := e.rightPut(ctx, key, r)
				if !r.ExpiresAt.IsZero() && time.Until(r.ExpiresAt)/time.Second == 0 {
					e.remove(key)
				}
				return v, err
			}
		}),
		one(engineMay, "whole or not at all", "wiped", reading(func(_ string, r *store.Record) {
			if expired(*r) {
				r.Value = nil
			}
		})),
		one(engineMay, "whole or not at all", "an error of its own", func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				r, err := e.rightGet(ctx, key)
				if err == nil && expired(r) {
					return store.Record{}, context.DeadlineExceeded
				}
				return r, err
			}
		}),
	}
}
