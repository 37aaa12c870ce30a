package storetest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

// A fixture is the store under test with what the checks have in common.
type fixture struct {
	tb
	store store.Store
	// open returns a store on the same data if the check is a durable one.
	open func() store.Store
	// patience is how long calls may hang before that is a failure.
	patience time.Duration
}

// unique returns a beginning for keys that no other check, run or program uses.
func unique() string { return "storetest-" + rand.Text() }

// put writes a value and returns the new version.
func (f *fixture) put(key string, value []byte, v store.Version) store.Version {
	f.Helper()
	return f.putRecord(key, store.Record{Value: value, Version: v})
}

func (f *fixture) putRecord(key string, r store.Record) store.Version {
	f.Helper()
	v, err := f.store.Put(f.Context(), key, r)
	if err != nil {
		f.Fatalf("Put of %d bytes at version %d of %q: %v", len(r.Value), r.Version, key, err)
	}
	return v
}

// get reads a record that has to be there.
func (f *fixture) get(key string) store.Record {
	f.Helper()
	r, err := f.store.Get(f.Context(), key)
	if err != nil {
		f.Fatalf("Get %q: %v", key, err)
	}
	return r
}

func (f *fixture) delete(key string, v store.Version) {
	f.Helper()
	if err := f.store.Delete(f.Context(), key, v); err != nil {
		f.Fatalf("Delete of version %d of %q: %v", v, key, err)
	}
}

// missing checks that a key has no record.
func (f *fixture) missing(key string) {
	f.Helper()
	if r, err := f.store.Get(f.Context(), key); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("Get %q: version %d, error %v; want ErrNotFound", key, r.Version, err)
	}
}

// holds checks the value and version of a key's record.
func (f *fixture) holds(key string, value []byte, v store.Version) {
	f.Helper()
	r := f.get(key)
	f.sameValue("Get", r.Value, value)
	if r.Version != v {
		f.Errorf("Get %q: version %d, want %d", key, r.Version, v)
	}
}

func (f *fixture) sameValue(who string, got, want []byte) {
	f.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	f.Errorf("%s: a value of %d bytes, want %d bytes; they differ from byte %d on", who, len(got), len(want), at)
}

// conflict checks that a write was refused.
func (f *fixture) conflict(what string, err error) {
	f.Helper()
	if !errors.Is(err, store.ErrConflict) {
		f.Errorf("%s: error %v, want ErrConflict", what, err)
	}
}

// race runs do(0) to do(n-1) at the same time and returns their errors.
func race(n int, do func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// together runs do(0) to do(n-1) at the same time, and fails the check if one of them returns an error.
func (f *fixture) together(n int, do func(i int) error) {
	f.Helper()
	for _, err := range race(n, do) {
		if err != nil {
			f.Fatalf("%v", err)
		}
	}
}

// onlyConflicts checks that every error of a race is nil or ErrConflict, and returns who got nil.
func (f *fixture) onlyConflicts(errs []error) (winners []int) {
	f.Helper()
	for i, err := range errs {
		switch {
		case err == nil:
			winners = append(winners, i)
		case !errors.Is(err, store.ErrConflict):
			f.Errorf("racer %d: error %v, want nil or ErrConflict", i, err)
		}
	}
	return winners
}

// within runs do, which has to end by itself: a store that waits for its own caller would otherwise hang the whole test
// program. do must not call Fatalf.
func (f *fixture) within(what string, do func()) {
	f.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	timer := time.NewTimer(f.patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		f.Fatalf("%s: still hangs after %v", what, f.patience)
	}
}
