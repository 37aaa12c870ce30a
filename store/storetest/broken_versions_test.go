package storetest_test

import (
	"context"
	"hash/crc32"
	"math/rand/v2"
	"time"

	"github.com/civicpin/civicpin/store"
)

// pause is the gap that a store leaves which does in two steps what has to be one.
func pause() { time.Sleep(rand.N(time.Millisecond)) }

// unless makes a Put whose condition is met when allow says so, not only when the versions are equal.
func unless(allow func(old store.Record, there bool, v store.Version) bool) func(*engine) {
	return func(e *engine) {
		e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
			if err := begin(ctx, key); err != nil {
				return 0, err
			}
			if old, there := e.peek(key); old.Version != r.Version && !allow(old, there, r.Version) {
				return 0, store.ErrConflict
			}
			return e.force(key, r), nil
		}
	}
}

// unlessDelete is the same for Delete.
func unlessDelete(allow func(old store.Record, there bool, v store.Version) bool) func(*engine) {
	return func(e *engine) {
		e.del = func(ctx context.Context, key string, v store.Version) error {
			if err := begin(ctx, key); err != nil {
				return err
			}
			if old, there := e.peek(key); (!there || old.Version != v) && !allow(old, there, v) {
				return store.ErrConflict
			}
			e.remove(key)
			return nil
		}
	}
}

// numbered gives versions of its own making.
func numbered(number func(old, now store.Record) store.Version) func(*engine) {
	return func(e *engine) {
		e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
			old, _ := e.peek(key)
			if _, err := e.rightPut(ctx, key, r); err != nil {
				return 0, err
			}
			r.Version = number(old, r)
			e.mu.Lock()
			defer e.mu.Unlock()
			e.records[key] = r
			return r.Version, nil
		}
	}
}

// perKey counts each key's versions from 1.
var perKey = numbered(func(old, _ store.Record) store.Version { return old.Version + 1 })

// split puts and deletes in two steps with a gap between.
func split(puts, deletes bool) func(*engine) {
	return func(e *engine) {
		if puts {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if old, _ := e.peek(key); old.Version != r.Version {
					return 0, store.ErrConflict
				}
				pause()
				return e.force(key, r), nil
			}
		}
		if deletes {
			e.del = func(ctx context.Context, key string, v store.Version) error {
				if old, ok := e.peek(key); !ok || old.Version != v {
					return store.ErrConflict
				}
				pause()
				e.remove(key)
				return nil
			}
		}
	}
}

func never(store.Record, bool, store.Version) bool { return false }

func brokenVersions() []brokenStore {
	const (
		creates, free   = "Put with version zero", "What Get does not find"
		replaces, fresh = "Put with a version", "Put returns the new version"
		same, deletes   = "Get returns the same", "Delete removes"
	)
	zero := func(_ store.Record, _ bool, v store.Version) bool { return v == 0 }
	missing := func(_ store.Record, there bool, _ store.Version) bool { return !there }
	any32 := func(old store.Record, there bool, v store.Version) bool {
		return there && uint32(old.Version) == uint32(v)
	}
	newer := func(old store.Record, there bool, v store.Version) bool { return there && v > old.Version }
	older := func(old store.Record, there bool, v store.Version) bool { return there && v != 0 && v < old.Version }
	both := func(a, b func(*engine)) func(*engine) { return func(e *engine) { a(e); b(e) } }
	return []brokenStore{
		one(creates, "creates", "nothing", func(e *engine) {
			e.put = func(context.Context, string, store.Record) (store.Version, error) { return 1, nil }
		}),
		one(creates, "never over a record", "overwrites", unless(zero)),
		one(creates, "never over a record", "overwrites what can expire", unless(
			func(old store.Record, _ bool, v store.Version) bool { return v == 0 && !old.ExpiresAt.IsZero() },
		)),
		one(free, "deleted", "a tombstone is a record", func(e *engine) {
			dead := make(map[string]bool)
			e.del = func(ctx context.Context, key string, v store.Version) error {
				err := e.rightDelete(ctx, key, v)
				dead[key] = dead[key] || err == nil
				return err
			}
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if dead[key] {
					return 0, store.ErrConflict
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(free, "put as expired", "hidden but in the way", hidden),
		one(free, "expired since", "hidden but in the way", hidden),

		one(replaces, "replaces", "nothing", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if r.Version != 0 {
					return r.Version + 1, nil
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(replaces, "older version", "lost update", unless(older)),
		one(replaces, "version that never was", "any newer one", unless(newer)),
		one(replaces, "version that never was", "32 bits", unless(any32)),
		one(replaces, "no record", "creates", unless(missing)),
		one(replaces, "no record", "done, it says", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if _, ok := e.peek(key); !ok && r.Version != 0 {
					return r.Version + 1, nil // an UPDATE of no row
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(replaces, "no record", "not found, it says", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if _, ok := e.peek(key); !ok && r.Version != 0 {
					return 0, store.ErrNotFound
				}
				return e.rightPut(ctx, key, r)
			}
		}),
		one(replaces, "deleted record", "creates", unless(missing)),
		one(replaces, "deleted record", "versions begin again", perKey),

		one(fresh, "not zero", "counts from zero", func(e *engine) {
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				v, err := e.rightPut(ctx, key, r)
				return v - 1, err
			}
		}),
		one(fresh, "new at each replacement", "a hash of the value", numbered(func(_, now store.Record) store.Version {
			return store.Version(crc32.ChecksumIEEE(now.Value)) + 1
		})),
		one(fresh, "new after delete and create", "per key", perKey),
		one(fresh, "new after delete and create", "the coarse time", numbered(func(old, _ store.Record) store.Version {
			return max(old.Version+1, store.Version(time.Now().Unix()))
		})),
		one(fresh, "new after an expired record", "begins again", func(e *engine) {
			perKey(e)
			put := e.put
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				v, err := put(ctx, key, r)
				if expired(r) {
					e.remove(key)
				}
				return v, err
			}
		}),
		each(fresh, "new after a reopen", "begins again", func(handle, data *engine) {
			handle.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				if _, err := data.rightPut(ctx, key, r); err != nil {
					return 0, err
				}
				handle.last++
				r.Version = handle.last
				data.mu.Lock()
				defer data.mu.Unlock()
				data.records[key] = r
				return r.Version, nil
			}
		}),

		one(same, "as Put", "a hash in one, a count in the other", reading(func(_ string, r *store.Record) { r.Version += 1000 })),
		one(same, "as Put", "none", reading(func(_ string, r *store.Record) { r.Version = 0 })),
		one(same, "and that version's value, while others write", "reads twice", func(e *engine) {
			e.get = func(ctx context.Context, key string) (store.Record, error) {
				r, err := e.rightGet(ctx, key)
				pause()
				now, _ := e.peek(key)
				r.Version = now.Version
				return r, err
			}
			e.put = func(ctx context.Context, key string, r store.Record) (store.Version, error) {
				time.Sleep(100 * time.Microsecond)
				return e.rightPut(ctx, key, r)
			}
		}),

		one(deletes, "removes", "nothing", func(e *engine) {
			e.del = func(context.Context, string, store.Version) error { return nil }
		}),
		one(deletes, "removes", "by prefix", func(e *engine) {
			e.del = func(ctx context.Context, key string, v store.Version) error {
				for _, k := range e.keys(key+"0", "") {
					e.remove(k)
				}
				return e.rightDelete(ctx, key, v)
			}
		}),
		one(deletes, "older version", "the newer one", unlessDelete(older)),
		one(deletes, "version that never was", "zero is any", unlessDelete(zero)),
		one(deletes, "version that never was", "32 bits", unlessDelete(any32)),
		one(deletes, "no record", "no error", unlessDelete(missing)),
		one(deletes, "no record", "not found, it says", func(e *engine) {
			e.del = func(ctx context.Context, key string, v store.Version) error {
				if _, ok := e.peek(key); !ok {
					return store.ErrNotFound
				}
				return e.rightDelete(ctx, key, v)
			}
		}),
		one(deletes, "record created anew", "versions begin again", perKey),
		one(deletes, "record created anew", "the newer one", both(unless(never), unlessDelete(older))),
	}
}

// hidden hides expired records from Get, and forgets about Put.
func hidden(e *engine) {
	e.get = func(ctx context.Context, key string) (store.Record, error) {
		r, err := e.rightGet(ctx, key)
		if err == nil && expired(r) {
			return store.Record{}, store.ErrNotFound
		}
		return r, err
	}
}
