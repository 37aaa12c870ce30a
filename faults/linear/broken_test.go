package linear_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/linear"
	"github.com/civicpin/civicpin/store"
)

// Every way in which a store can go wrong must be seen, or a verdict of "Ok" would mean nothing.
func TestBrokenStoresAreRejected(t *testing.T) {
	for name, broken := range map[string]func() store.Store{
		"stale reads":                  func() store.Store { return &stale{slow: slow{store.NewMemory()}} },
		"a lost update":                func() store.Store { return overwrites{slow{store.NewMemory()}} },
		"a create over a record":       func() store.Store { return creates{slow{store.NewMemory()}} },
		"an acknowledged write lost":   func() store.Store { return forgets{slow{store.NewMemory()}} },
		"a write undone later":         func() store.Store { return &undoes{slow: slow{store.NewMemory()}} },
		"a refused write done":         func() store.Store { return refuses{slow{store.NewMemory()}} },
		"a refused write out of spite": func() store.Store { return spiteful{slow{store.NewMemory()}} },
		"a delete of a newer record":   func() store.Store { return deletes{slow{store.NewMemory()}} },
		"a record not found":           func() store.Store { return misses{slow{store.NewMemory()}} },
		"versions that change":         func() store.Store { return &renumbers{slow: slow{store.NewMemory()}} },
		"bytes that nobody wrote":      func() store.Store { return garbles{slow{store.NewMemory()}} },
	} {
		t.Run(name, func(t *testing.T) {
			r := rejected(t, broken)
			require.Zero(t, r.Unknown)
		})
	}
}

// rejected runs a broken store until it is found out, which chance may put off.
func rejected(t *testing.T, broken func() store.Store) linear.Result {
	t.Helper()
	for range 10 {
		r := run(t, broken())
		require.NotEqual(t, porcupine.Unknown, r.Verdict)
		if r.Verdict == porcupine.Illegal {
			return r
		}
	}
	t.Fatal("never rejected")
	return linear.Result{}
}

// The same among answers that were lost, which could explain much.
func TestBrokenAndLossy(t *testing.T) {
	var later sync.WaitGroup
	defer later.Wait()
	for name, broken := range map[string]func(*lossy) store.Store{
		"stale reads":                func(s *lossy) store.Store { return &stale{slow: slow{s}} },
		"an acknowledged write lost": func(s *lossy) store.Store { return forgets{slow{s}} },
		"a write undone later":       func(s *lossy) store.Store { return &undoes{slow: slow{s}} },
	} {
		t.Run(name, func(t *testing.T) {
			r := rejected(t, func() store.Store { return broken(&lossy{slow{store.NewMemory()}, &later}) })
			require.Positive(t, r.Unknown)
		})
	}
}

// stale now and then reads what was there some reads ago, as a replica does that lags.
type stale struct {
	slow
	mu  sync.Mutex
	old map[string][]store.Record
}

func (s *stale) Get(ctx context.Context, key string) (store.Record, error) {
	r, err := s.slow.Get(ctx, key)
	if err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.old == nil {
		s.old = make(map[string][]store.Record)
	}
	s.old[key] = append(s.old[key], r)
	if n := len(s.old[key]); n > 20 && sometimes(10) {
		return s.old[key][n-20], nil
	}
	return r, nil
}

// overwrites now and then replaces whatever is there.
type overwrites struct{ slow }

func (s overwrites) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if now, err := s.Get(ctx, key); err == nil && r.Version != 0 && sometimes(10) {
		r.Version = now.Version
	}
	return s.slow.Put(ctx, key, r)
}

type creates struct{ slow }

func (s creates) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if now, err := s.Get(ctx, key); err == nil && r.Version == 0 {
		r.Version = now.Version
	}
	return s.slow.Put(ctx, key, r)
}

// forgets acknowledges writes that it does not do.
type forgets struct{ slow }

func (s forgets) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if now, err := s.Get(ctx, key); err == nil && r.Version == now.Version && sometimes(10) {
		return r.Version + 1_000_000, nil
	}
	return s.slow.Put(ctx, key, r)
}

// undoes puts back what was there, under its old version as far as readers can tell: as after a failover to a machine that
// had not heard of the last writes.
type undoes struct {
	slow
	mu     sync.Mutex
	before map[string]store.Record // shown instead, for some reads
	show   map[string]int
}

func (s *undoes) Get(ctx context.Context, key string) (store.Record, error) {
	s.mu.Lock()
	if s.show[key] > 0 {
		defer s.mu.Unlock()
		s.show[key]--
		return s.before[key], nil
	}
	s.mu.Unlock()
	return s.slow.Get(ctx, key)
}

func (s *undoes) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	now, err := s.slow.Get(ctx, key)
	v, putErr := s.slow.Put(ctx, key, r)
	if err == nil && putErr == nil && sometimes(8) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.before == nil {
			s.before, s.show = make(map[string]store.Record), make(map[string]int)
		}
		s.before[key], s.show[key] = now, 5
	}
	return v, putErr
}

// refuses does a write and says "conflict", as a driver does that sends a write again whose answer was lost.
type refuses struct{ slow }

func (s refuses) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	v, err := s.slow.Put(ctx, key, r)
	if err == nil && sometimes(10) {
		return 0, store.ErrConflict
	}
	return v, err
}

// spiteful says "conflict" where there was none, and does nothing.
type spiteful struct{ slow }

func (s spiteful) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if r.Version == 0 && sometimes(3) {
		return 0, store.ErrConflict
	}
	return s.slow.Put(ctx, key, r)
}

type deletes struct{ slow }

func (s deletes) Delete(ctx context.Context, key string, v store.Version) error {
	err := s.slow.Delete(ctx, key, v)
	if now, getErr := s.Get(ctx, key); errors.Is(err, store.ErrConflict) && getErr == nil {
		return s.slow.Delete(ctx, key, now.Version)
	}
	return err
}

type misses struct{ slow }

func (s misses) Get(ctx context.Context, key string) (store.Record, error) {
	if sometimes(20) {
		return store.Record{}, store.ErrNotFound
	}
	return s.slow.Get(ctx, key)
}

// renumbers gives a record another version without a write.
type renumbers struct {
	slow
	mu sync.Mutex
	n  store.Version
}

func (s *renumbers) Get(ctx context.Context, key string) (store.Record, error) {
	r, err := s.slow.Get(ctx, key)
	if err == nil && sometimes(20) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.n++
		r.Version += 1_000_000 * s.n
	}
	return r, err
}

type garbles struct{ slow }

func (s garbles) Get(ctx context.Context, key string) (store.Record, error) {
	r, err := s.slow.Get(ctx, key)
	if err == nil && sometimes(50) {
		r.Value[0] = '#'
	}
	return r, err
}
