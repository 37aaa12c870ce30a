package storetest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/civicpin/civicpin/store"
)

func putCreates(f *fixture) {
	key := unique()
	v := f.put(key, []byte("first"), 0)
	f.holds(key, []byte("first"), v)
}

func putOver(f *fixture) {
	key := unique()
	v := f.put(key, []byte("first"), 0)
	for _, value := range []string{"second", "first", ""} {
		_, err := f.store.Put(f.Context(), key, store.Record{Value: []byte(value)})
		f.conflict("Put with version zero over a record", err)
		f.holds(key, []byte("first"), v)
	}
	v = f.putRecord(key, store.Record{Value: []byte("second"), Version: v, ExpiresAt: time.Now().Add(time.Hour)})
	_, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("third")})
	f.conflict("Put with version zero over a record that has not expired", err)
	f.holds(key, []byte("second"), v)
}

func createDeleted(f *fixture) {
	key := unique()
	for i := range 3 {
		value := fmt.Appendf(nil, "life %d", i)
		v := f.put(key, value, 0)
		f.holds(key, value, v)
		f.delete(key, v)
		f.missing(key)
	}
}

func createExpired(f *fixture) {
	for _, ago := range []time.Duration{time.Hour, time.Second, time.Millisecond} {
		key := unique()
		f.putRecord(key, store.Record{Value: []byte("old"), ExpiresAt: time.Now().Add(-ago)})
		f.createIfHidden(key)
	}
}

func createExpiredSince(f *fixture) {
	key, never := unique(), unique()
	kept := f.put(never, []byte("kept"), 0)
	expires := time.Now().Add(100 * time.Millisecond)
	f.putRecord(key, store.Record{Value: []byte("old"), ExpiresAt: expires})
	// The stored expiry may be up to a second later; an engine that hides by it has done so by then.
	for until := expires.Add(1200 * time.Millisecond); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if _, err := f.store.Get(f.Context(), key); errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	f.createIfHidden(key)
	f.holds(never, []byte("kept"), kept)
}

// createIfHidden checks that a key whose record has expired can be written in the way that Get tells.
func (f *fixture) createIfHidden(key string) {
	f.Helper()
	// The engine may drop the record at any time, also between the two calls; then the second round finds it dropped.
	var err error
	for range 2 {
		old, getErr := f.store.Get(f.Context(), key)
		if getErr != nil && !errors.Is(getErr, store.ErrNotFound) {
			f.Fatalf("Get of an expired record: error %v, want none or ErrNotFound", getErr)
		}
		var v store.Version
		if v, err = f.store.Put(f.Context(), key, store.Record{Value: []byte("new"), Version: old.Version}); err == nil {
			f.holds(key, []byte("new"), v)
			return
		}
	}
	f.Errorf("Put where Get says that the record is gone, or at the version that Get tells: %v", err)
}

func putReplaces(f *fixture) {
	key := unique()
	v := f.put(key, []byte("first"), 0)
	v = f.put(key, []byte("second"), v)
	f.holds(key, []byte("second"), v)
}

func putOlder(f *fixture) {
	key := unique()
	older := []store.Version{f.put(key, []byte("0"), 0)}
	for i := range 3 {
		older = append(older, f.put(key, fmt.Appendf(nil, "%d", i+1), older[i]))
	}
	last := len(older) - 1
	for _, v := range older[:last] {
		_, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("late"), Version: v})
		f.conflict("Put at a version that was replaced", err)
		f.holds(key, []byte("3"), older[last])
	}
}

// neverVersions returns versions that a key at version v never had: its neighbours, and those that a narrower integer
// or a sign mistakes for it.
func neverVersions(v store.Version) []store.Version {
	var never []store.Version
	for _, n := range []store.Version{v + 1, v ^ 1<<32, v ^ 1<<31, v ^ 1<<63, ^v, -v, math.MaxUint64, math.MaxInt64, 1 << 63} {
		if n != v && n != 0 {
			never = append(never, n)
		}
	}
	return never
}

func putNever(f *fixture) {
	key := unique()
	v := f.put(key, []byte("kept"), 0)
	for _, never := range neverVersions(v) {
		_, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("lost"), Version: never})
		f.conflict(fmt.Sprintf("Put at version %d of a record at %d", never, v), err)
		f.holds(key, []byte("kept"), v)
	}
}

func putNoRecord(f *fixture) {
	for _, v := range []store.Version{1, 2, math.MaxInt64, math.MaxUint64} {
		key := unique()
		_, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("x"), Version: v})
		f.conflict("Put with a version where there is no record", err)
		f.missing(key)
	}
}

func putDeleted(f *fixture) {
	key := unique()
	v := f.put(key, []byte("first"), 0)
	f.delete(key, v)
	_, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("again"), Version: v})
	f.conflict("Put at the version of a deleted record", err)
	f.missing(key)
	now := f.put(key, []byte("second"), 0)
	_, err = f.store.Put(f.Context(), key, store.Record{Value: []byte("again"), Version: v})
	f.conflict("Put at the version of a record that was deleted and created anew", err)
	f.holds(key, []byte("second"), now)
}

func deleteRemoves(f *fixture) {
	key := unique()
	neighbour := f.put(key+"0", []byte("kept"), 0)
	v := f.put(key, []byte("x"), 0)
	v = f.put(key, []byte("y"), v)
	f.delete(key, v)
	f.missing(key)
	f.holds(key+"0", []byte("kept"), neighbour)
}

func deleteOlder(f *fixture) {
	key := unique()
	old := f.put(key, []byte("old"), 0)
	now := f.put(key, []byte("new"), old)
	f.conflict("Delete of a version that was replaced", f.store.Delete(f.Context(), key, old))
	f.holds(key, []byte("new"), now)
}

func deleteNever(f *fixture) {
	key := unique()
	v := f.put(key, []byte("kept"), 0)
	for _, never := range append(neverVersions(v), 0) {
		f.conflict(fmt.Sprintf("Delete of version %d of a record at %d", never, v), f.store.Delete(f.Context(), key, never))
		f.holds(key, []byte("kept"), v)
	}
}

func deleteNoRecord(f *fixture) {
	key := unique()
	for _, v := range []store.Version{0, 1, math.MaxInt64, math.MaxUint64} {
		f.conflict("Delete where there is no record", f.store.Delete(f.Context(), key, v))
	}
	v := f.put(key, []byte("x"), 0)
	f.delete(key, v)
	f.conflict("a second Delete", f.store.Delete(f.Context(), key, v))
	f.conflict("a second Delete", f.store.Delete(f.Context(), key, 0))
}

func deleteRecreated(f *fixture) {
	key := unique()
	old := f.put(key, []byte("same"), 0)
	f.delete(key, old)
	now := f.put(key, []byte("same"), 0)
	f.conflict("Delete of a record that was deleted and created anew", f.store.Delete(f.Context(), key, old))
	f.holds(key, []byte("same"), now)
}
