package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/civicpin/civicpin/store"
)

// doneContexts runs do with a context that was cancelled and with one whose deadline has passed.
func (f *fixture) doneContexts(do func(ctx context.Context)) {
	cancelled, cancel := context.WithCancel(f.Context())
	cancel()
	do(cancelled)
	late, cancel := context.WithDeadline(f.Context(), time.Now().Add(-time.Second))
	defer cancel()
	do(late)
}

// refused checks the error of a call with a done context. An answer would be taken for the truth: "not found" for a
// citizen without a lock, "conflict" for a write that was not done.
func (f *fixture) refused(method string, err error) {
	f.Helper()
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		f.Errorf("%s with a done context: error %v, want one that is no answer", method, err)
	}
}

func doneGet(f *fixture) {
	key := unique()
	v := f.put(key, []byte("x"), 0)
	f.doneContexts(func(ctx context.Context) {
		r, err := f.store.Get(ctx, key)
		f.refused("Get", err)
		if r.Value != nil || r.Version != 0 {
			f.Errorf("Get with a done context returns a record beside its error")
		}
		_, err = f.store.Get(ctx, key+"none")
		f.refused("Get of no record", err)
	})
	f.holds(key, []byte("x"), v)
}

func donePut(f *fixture) {
	key := unique()
	v := f.put(key, []byte("old"), 0)
	f.doneContexts(func(ctx context.Context) {
		got, err := f.store.Put(ctx, key, store.Record{Value: []byte("new"), Version: v})
		f.refused("Put", err)
		if got != 0 {
			f.Errorf("Put with a done context returns version %d beside its error", got)
		}
		_, err = f.store.Put(ctx, key, store.Record{Value: []byte("new"), Version: v + 1})
		f.refused("Put at another version", err)
		_, err = f.store.Put(ctx, unique(), store.Record{Value: []byte("new")})
		f.refused("Put of a new key", err)
	})
	if value := string(f.get(key).Value); value != "old" && value != "new" {
		f.Errorf("Get after a Put with a done context: %q, want the old or the new value", value)
	}
}

func doneDelete(f *fixture) {
	f.doneContexts(func(ctx context.Context) {
		key := unique()
		v := f.put(key, []byte("x"), 0)
		f.refused("Delete", f.store.Delete(ctx, key, v))
		f.refused("Delete of no record", f.store.Delete(ctx, key+"none", v))
		if r, err := f.store.Get(f.Context(), key); err == nil {
			f.sameValue("Get after a Delete with a done context", r.Value, []byte("x"))
		} else if !errors.Is(err, store.ErrNotFound) {
			f.Errorf("Get after a Delete with a done context: %v", err)
		}
	})
}

// doneList also asks for what is not there: an empty list without an error says "all done" to a purge.
func doneList(f *fixture) {
	prefix := unique() + "/"
	f.put(prefix+"a", []byte("x"), 0)
	f.doneContexts(func(ctx context.Context) {
		for _, p := range []string{prefix, prefix + "none"} {
			var last error
			for _, err := range f.store.(store.Lister).List(ctx, p, "") {
				last = err
			}
			f.refused("List", last)
		}
	})
}

// breakOff runs a write whose context ends somewhere between its beginning and twice the time that a write took before.
func (f *fixture) breakOff(usual time.Duration, write func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(f.Context())
	defer cancel()
	timer := time.AfterFunc(rand.N(2*usual+1), cancel)
	defer timer.Stop()
	return write(ctx)
}

// brokenPut breaks off Puts of growing numbers. After each, the record is as some Put made it, and not older than the last
// one that was acknowledged.
func brokenPut(f *fixture) {
	key := unique()
	f.put(key, []byte("0"), 0)
	began := time.Now()
	f.put(key, []byte("0"), f.get(key).Version)
	usual := time.Since(began)
	acknowledged, pending := 0, false
	for i := 1; i <= 40; i++ {
		v := f.get(key).Version
		err := f.breakOff(usual, func(ctx context.Context) error {
			_, err := f.store.Put(ctx, key, store.Record{Value: strconv.AppendInt(nil, int64(i), 10), Version: v})
			return err
		})
		switch {
		case err == nil:
			acknowledged, pending = i, false
		case !errors.Is(err, store.ErrConflict):
			pending = true
		case !pending: // else an earlier one may have happened just now
			f.Errorf("Put at the version that Get told, broken off: %v, and nobody else writes", err)
		}
		n, err := strconv.Atoi(string(f.get(key).Value))
		if err != nil || n < acknowledged || n > i {
			f.Fatalf("Get after Puts of 0 to %d that were broken off: %d, error %v; %d was acknowledged", i, n, err, acknowledged)
		}
	}
}

func brokenDelete(f *fixture) {
	began := time.Now()
	f.put(unique(), []byte("x"), 0)
	usual := time.Since(began)
	for range 20 {
		key := unique()
		v := f.put(key, []byte("x"), 0)
		err := f.breakOff(usual, func(ctx context.Context) error { return f.store.Delete(ctx, key, v) })
		if errors.Is(err, store.ErrConflict) {
			f.Errorf("Delete at the version that Put told, broken off: %v, and nobody else writes", err)
		}
		r, getErr := f.store.Get(f.Context(), key)
		switch {
		case errors.Is(getErr, store.ErrNotFound):
		case getErr != nil:
			f.Errorf("Get after a Delete that was broken off: %v", getErr)
		case err == nil:
			f.Errorf("Get after an acknowledged Delete finds a record")
		default:
			f.sameValue("Get after a Delete that was broken off", r.Value, []byte("x"))
		}
	}
}
