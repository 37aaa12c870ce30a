package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

// newVersion checks that a version is not zero and not among those seen, and adds it to them.
func (f *fixture) newVersion(seen map[store.Version]bool, v store.Version) {
	f.Helper()
	if v == 0 || seen[v] {
		f.Errorf("version %d, after %d others of this key, it among them: %t; want a new one, not zero", v, len(seen), seen[v])
	}
	seen[v] = true
}

func versionNotZero(f *fixture) {
	key := unique()
	v := f.put(key, []byte("x"), 0)
	if v == 0 {
		f.Fatalf("the first version is zero")
	}
	if v = f.put(key, []byte("y"), v); v == 0 {
		f.Errorf("the second version is zero")
	}
}

func versionNew(f *fixture) {
	key, seen := unique(), make(map[store.Version]bool)
	var v store.Version
	for i := range 8 {
		v = f.put(key, []byte{byte(i / 2)}, v) // every second one leaves the value as it is
		f.newVersion(seen, v)
	}
}

func versionRecreated(f *fixture) {
	key, seen := unique(), make(map[store.Version]bool)
	for range 4 {
		v := f.put(key, []byte("same"), 0)
		f.newVersion(seen, v)
		v = f.put(key, []byte("same"), v)
		f.newVersion(seen, v)
		f.delete(key, v)
	}
}

func versionExpired(f *fixture) {
	key, seen := unique(), make(map[store.Version]bool)
	for range 3 {
		var v store.Version
		if r, err := f.store.Get(f.Context(), key); err == nil {
			v = r.Version // the engine keeps expired records, or has not come to this one
		}
		past := time.Now().Add(-time.Hour)
		v, err := f.store.Put(f.Context(), key, store.Record{Value: []byte("x"), Version: v, ExpiresAt: past})
		if errors.Is(err, store.ErrConflict) {
			continue // dropped between the two calls
		}
		if err != nil {
			f.Fatalf("Put of an expired record: %v", err)
		}
		f.newVersion(seen, v)
	}
}

func versionReopened(f *fixture) {
	seen := make(map[store.Version]bool)
	deleted, replaced := unique(), unique()
	v := f.put(deleted, []byte("x"), 0)
	f.newVersion(seen, v)
	f.delete(deleted, v)
	var last store.Version
	for range 3 {
		f.reopen()
		v = f.put(deleted, []byte("x"), 0)
		f.newVersion(seen, v)
		f.delete(deleted, v)
		next := f.put(replaced, []byte("y"), last)
		if next == last {
			f.Errorf("version %d comes again after a reopen", next)
		}
		last = next
	}
}

func versionSame(f *fixture) {
	key := unique()
	var v store.Version
	for i := range 4 {
		v = f.put(key, []byte{byte(i)}, v)
		for range 2 {
			if got := f.get(key).Version; got != v {
				f.Fatalf("Get tells version %d, Put told %d", got, v)
			}
		}
	}
}

// versionPaired finds stores that read value and version in two steps: the new version with the old value lets the next
// conditional write undo what it has not seen.
func versionPaired(f *fixture) {
	key := unique()
	type state struct {
		version store.Version
		value   string
	}
	written := make(map[store.Version]string) // by the one writer
	v := f.put(key, []byte("0"), 0)
	written[v] = "0"
	var mu sync.Mutex
	read := make(map[state]bool)
	stop := make(chan struct{})
	readErr := make(chan error, 1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := f.store.Get(f.Context(), key)
				if err != nil {
					select {
					case readErr <- err:
					default:
					}
					return
				}
				mu.Lock()
				read[state{r.Version, string(r.Value)}] = true
				mu.Unlock()
			}
		})
	}
	var err error
	for i := range 100 {
		value := fmt.Sprint(i + 1)
		if v, err = f.store.Put(f.Context(), key, store.Record{Value: []byte(value), Version: v}); err != nil {
			break
		}
		written[v] = value
	}
	close(stop)
	wg.Wait()
	if err != nil {
		f.Fatalf("Put by the only writer: %v", err)
	}
	select {
	case err := <-readErr:
		f.Fatalf("Get while another replaces: %v", err)
	default:
	}
	for s := range read {
		if value, ok := written[s.version]; !ok || value != s.value {
			f.Errorf("Get told version %d with value %q, which was put with %q", s.version, s.value, value)
		}
	}
}
