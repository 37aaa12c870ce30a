package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"

	"github.com/civicpin/civicpin/store"
)

const (
	// racers is how many writes are let loose on one version.
	racers = 64
	// rounds is how often. A store that looks and then writes is seldom caught the first time.
	rounds = 6
)

// winner checks that a race had exactly one winner. No winner would be as wrong: ErrConflict says that the record is not
// at the version, and until one write succeeded it was.
func (f *fixture) winner(errs []error) int {
	f.Helper()
	winners := f.onlyConflicts(errs)
	if len(winners) != 1 {
		f.Fatalf("%d of %d racers were told that they had won, want 1", len(winners), len(errs))
	}
	return winners[0]
}

// racePut lets 64 Puts at version v loose, and checks that the record is then as the winner was told.
func (f *fixture) racePut(key string, v store.Version, handles ...store.Store) store.Version {
	f.Helper()
	versions := make([]store.Version, racers)
	errs := race(racers, func(i int) (err error) {
		r := store.Record{Value: strconv.AppendInt(nil, int64(i), 10), Version: v}
		versions[i], err = handles[i%len(handles)].Put(f.Context(), key, r)
		return err
	})
	i := f.winner(errs)
	f.holds(key, strconv.AppendInt(nil, int64(i), 10), versions[i])
	return versions[i]
}

func raceCreate(f *fixture) {
	for range rounds {
		f.racePut(unique(), 0, f.store)
	}
}

func raceReplace(f *fixture) {
	key := unique()
	v := f.put(key, []byte("start"), 0)
	for range rounds {
		v = f.racePut(key, v, f.store)
	}
}

func raceDelete(f *fixture) {
	key := unique()
	for range rounds {
		v := f.put(key, []byte("x"), 0)
		f.winner(race(racers, func(int) error { return f.store.Delete(f.Context(), key, v) }))
		f.missing(key)
	}
}

func raceMixed(f *fixture) {
	for range 2 * rounds {
		key := unique()
		v := f.put(key, []byte("start"), 0)
		versions := make([]store.Version, racers)
		i := f.winner(race(racers, func(i int) (err error) {
			if i%2 == 1 {
				return f.store.Delete(f.Context(), key, v)
			}
			versions[i], err = f.store.Put(f.Context(), key, store.Record{Value: []byte("new"), Version: v})
			return err
		}))
		if i%2 == 1 {
			f.missing(key)
		} else {
			f.holds(key, []byte("new"), versions[i])
		}
	}
}

func raceHandles(f *fixture) {
	second := f.open()
	key := unique()
	v := f.racePut(key, 0, f.store, second)
	for range rounds {
		v = f.racePut(key, v, f.store, second)
	}
}

// raceIncrement counts with a compare-and-swap loop, which is what every limit of the library comes down to.
func raceIncrement(f *fixture) {
	const workers, each = 16, 8
	key := unique()
	f.put(key, []byte("0"), 0)
	f.together(workers, func(int) error {
		for done := 0; done < each; {
			r, err := f.store.Get(f.Context(), key)
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(string(r.Value))
			if err != nil {
				return err
			}
			r.Value = strconv.AppendInt(nil, int64(n+1), 10)
			_, err = f.store.Put(f.Context(), key, r)
			if err == nil {
				done++
			} else if !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
		return nil
	})
	if got := string(f.get(key).Value); got != strconv.Itoa(workers*each) {
		f.Errorf("the counter stands at %s after %d increments", got, workers*each)
	}
}

// raceLong lets writers create, replace and delete one key at will. Every write that succeeded has used up the version
// that it named: if one was used up twice, an update was lost.
func raceLong(f *fixture) {
	const workers, each = 16, 24
	key := unique()
	var mu sync.Mutex
	issued, used := make(map[store.Version]int), make(map[store.Version]int)
	creates, deletes := 0, 0
	f.together(workers, func(int) error {
		for range each {
			r, err := f.store.Get(f.Context(), key)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("Get: %w", err)
			}
			v, next := r.Version, store.Version(0)
			if err != nil {
				v = 0
			}
			remove := v != 0 && rand.IntN(3) == 0
			if remove {
				err = f.store.Delete(f.Context(), key, v)
			} else {
				next, err = f.store.Put(f.Context(), key, store.Record{Value: []byte("x"), Version: v})
			}
			if errors.Is(err, store.ErrConflict) {
				continue
			}
			if err != nil {
				return fmt.Errorf("write: %w", err)
			}
			mu.Lock()
			if v == 0 {
				creates++
			} else {
				used[v]++
			}
			if remove {
				deletes++
			} else {
				issued[next]++
			}
			mu.Unlock()
		}
		return nil
	})
	for v, n := range used {
		if n > 1 {
			f.Errorf("%d writes at version %d succeeded", n, v)
		}
	}
	for v, n := range issued {
		if n > 1 {
			f.Errorf("version %d was given to %d writes", v, n)
		}
	}
	there := 0
	if _, err := f.store.Get(f.Context(), key); err == nil {
		there = 1
	}
	if creates-deletes != there {
		f.Errorf("%d creates and %d deletions succeeded, and %d records are there", creates, deletes, there)
	}
}

func concurrentKeys(f *fixture) {
	const workers, each = 16, 8
	f.together(workers, func(int) error {
		for range each {
			key := unique()
			first, second := []byte("first "+key), []byte("second "+key)
			v, err := f.store.Put(f.Context(), key, store.Record{Value: first})
			if err != nil {
				return fmt.Errorf("create: %w", err)
			}
			r, err := f.store.Get(f.Context(), key)
			if err != nil || r.Version != v || !bytes.Equal(r.Value, first) {
				return fmt.Errorf("Get after create: %q at version %d, error %w", r.Value, r.Version, err)
			}
			if v, err = f.store.Put(f.Context(), key, store.Record{Value: second, Version: v}); err != nil {
				return fmt.Errorf("replace: %w", err)
			}
			r, err = f.store.Get(f.Context(), key)
			if err != nil || r.Version != v || !bytes.Equal(r.Value, second) {
				return fmt.Errorf("Get after replace: %q at version %d, error %w", r.Value, r.Version, err)
			}
			if err = f.store.Delete(f.Context(), key, v); err != nil {
				return fmt.Errorf("delete: %w", err)
			}
			if _, err = f.store.Get(f.Context(), key); !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("Get after delete: error %w, want ErrNotFound", err)
			}
		}
		return nil
	})
}

// concurrentTorn reads while others replace: a value is a whole one.
func concurrentTorn(f *fixture) {
	const size = 32 << 10
	key := unique()
	v := f.put(key, bytes.Repeat([]byte{0}, size), 0)
	f.together(5, func(i int) error {
		if i == 0 {
			for n := range 40 {
				var err error
				v, err = f.store.Put(f.Context(), key, store.Record{Value: bytes.Repeat([]byte{byte(n + 1)}, size), Version: v})
				if err != nil {
					return err
				}
			}
			return nil
		}
		for range 40 {
			r, err := f.store.Get(f.Context(), key)
			if err != nil {
				return err
			}
			if len(r.Value) != size || bytes.Count(r.Value, r.Value[:1]) != size {
				return fmt.Errorf("Get returned a mix of two values, or %d of %d bytes", len(r.Value), size)
			}
		}
		return nil
	})
}
