package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin/store"
)

// reopen closes the store and opens it again.
func (f *fixture) reopen() {
	f.Helper()
	if err := closeStore(f.store); err != nil {
		f.Fatalf("Close: %v", err)
	}
	f.store = f.open()
}

// seenAtOnce finds caches, and replicas that lag.
func seenAtOnce(f *fixture) {
	key := unique()
	var v store.Version
	for i := range 40 {
		v = f.put(key, []byte{byte(i)}, v)
		f.together(8, func(int) error {
			r, err := f.store.Get(f.Context(), key)
			if err == nil && r.Version != v {
				err = fmt.Errorf("version %d", r.Version)
			}
			if err != nil {
				return fmt.Errorf("Get right after Put told version %d: %w", v, err)
			}
			return nil
		})
	}
	f.delete(key, v)
	for _, err := range race(8, func(int) error {
		_, err := f.store.Get(f.Context(), key)
		return err
	}) {
		if !errors.Is(err, store.ErrNotFound) {
			f.Errorf("Get right after Delete: error %v, want ErrNotFound", err)
		}
	}
}

func seenBySecond(f *fixture) {
	one, two := f.store, f.open()
	key := unique()
	var v store.Version
	for i := range 10 {
		f.store = one
		v = f.put(key, []byte{byte(i)}, v)
		f.store = two
		f.holds(key, []byte{byte(i)}, v)
		_, err := two.Put(f.Context(), key, store.Record{Value: []byte("x")})
		f.conflict("create through the second handle of what the first created", err)
		one, two = two, one
	}
	f.store = one
	f.delete(key, v)
	f.store = two
	f.missing(key)
	_, err := two.Put(f.Context(), key, store.Record{Value: []byte("x"), Version: v})
	f.conflict("Put through one handle of what the other deleted", err)
}

func seenAfterReopen(f *fixture) {
	prefix := unique()
	expires := time.Now().Add(time.Hour)
	created := f.putRecord(prefix+"/created", store.Record{Value: []byte("created\x00\xff"), ExpiresAt: expires})
	empty := f.put(prefix+"/empty", nil, 0)
	replaced := f.put(prefix+"/replaced", []byte("old"), 0)
	replaced = f.put(prefix+"/replaced", []byte("new"), replaced)
	deleted := f.put(prefix+"/deleted", []byte("x"), 0)
	f.delete(prefix+"/deleted", deleted)
	for range 2 {
		f.reopen()
		f.holds(prefix+"/created", []byte("created\x00\xff"), created)
		f.sameExpiry("Get", expires, f.get(prefix+"/created").ExpiresAt)
		f.holds(prefix+"/empty", nil, empty)
		f.holds(prefix+"/replaced", []byte("new"), replaced)
		f.missing(prefix + "/deleted")
		_, err := f.store.Put(f.Context(), prefix+"/created", store.Record{Value: []byte("x")})
		f.conflict("create over a record of before the reopen", err)
		f.conflict("Delete of a version of before the reopen", f.store.Delete(f.Context(), prefix+"/replaced", replaced+1))
	}
	f.put(prefix+"/created", []byte("later"), created)
	f.delete(prefix+"/empty", empty)
}

func seenAfterBurst(f *fixture) {
	prefix := unique()
	const workers, each = 8, 8
	f.together(workers, func(w int) error {
		for i := range each {
			key := fmt.Sprintf("%s/%d/%d", prefix, w, i)
			if _, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("x")}); err != nil {
				return err
			}
		}
		return nil
	})
	f.reopen()
	for w := range workers {
		for i := range each {
			f.sameValue("Get after a reopen", f.get(fmt.Sprintf("%s/%d/%d", prefix, w, i)).Value, []byte("x"))
		}
	}
}
