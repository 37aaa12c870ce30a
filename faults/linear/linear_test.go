package linear_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/linear"
	"github.com/civicpin/civicpin/store"
)

// run lets clients work on one store for a moment.
func run(t *testing.T, s store.Store) linear.Result {
	t.Helper()
	return linear.Run(t, linear.Config{
		For:  200 * time.Millisecond,
		Open: func(int) (store.Store, error) { return s, nil },
		// As slow as a server: otherwise the history is long and hardly anything overlaps.
		Think: time.Millisecond,
	})
}

// sometimes is true about once in n times.
func sometimes(n int) bool { return rand.IntN(n) == 0 }

// A good store is found good, and its history holds what a verdict needs.
func TestGood(t *testing.T) {
	r := run(t, slow{store.NewMemory()})
	require.Equal(t, porcupine.Ok, r.Verdict)
	require.Zero(t, r.Unknown+r.ReadErrors)
	require.Empty(t, r.Errors)
	for _, n := range []int{r.Done, r.Conflicts, r.Reads, r.Missing} {
		require.Greater(t, n, 20, "%s", r)
	}
}

// slow takes its time before and after, so that calls overlap.
type slow struct{ store.Store }

func pause() { time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond) }

func (s slow) Get(ctx context.Context, key string) (store.Record, error) {
	pause()
	defer pause()
	return s.Store.Get(ctx, key)
}

func (s slow) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	pause()
	defer pause()
	return s.Store.Put(ctx, key, r)
}

func (s slow) Delete(ctx context.Context, key string, v store.Version) error {
	pause()
	defer pause()
	return s.Store.Delete(ctx, key, v)
}

var errLost = errors.New("connection lost")

// lossy loses answers: writes that it does, writes that it does not do, writes that it does later, and reads.
type lossy struct {
	slow
	later *sync.WaitGroup
}

func (s lossy) Get(ctx context.Context, key string) (store.Record, error) {
	if sometimes(10) {
		return store.Record{}, errLost
	}
	return s.slow.Get(ctx, key)
}

func (s lossy) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	var written atomic.Uint64 // a write that is done later writes it then
	err := s.lose(func() error {
		v, err := s.slow.Put(context.WithoutCancel(ctx), key, r)
		written.Store(uint64(v))
		return err
	})
	return store.Version(written.Load()), err
}

func (s lossy) Delete(ctx context.Context, key string, v store.Version) error {
	return s.lose(func() error { return s.slow.Delete(context.WithoutCancel(ctx), key, v) })
}

func (s lossy) lose(write func() error) error {
	switch {
	case sometimes(12):
		return errLost
	case sometimes(12):
		_ = write()
		return errLost
	case sometimes(12):
		s.later.Go(func() {
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
			_ = write()
		})
		return errLost
	}
	return write()
}

// What is unknown may have happened, may not, or may happen later: none of that is held against a store.
func TestUnknown(t *testing.T) {
	var later sync.WaitGroup
	defer later.Wait()
	unknown, readErrors, done := 0, 0, 0
	for range 3 {
		r := run(t, lossy{slow{store.NewMemory()}, &later})
		require.Equal(t, porcupine.Ok, r.Verdict)
		require.Equal(t, []string{"connection lost"}, r.Errors)
		unknown, readErrors, done = unknown+r.Unknown, readErrors+r.ReadErrors, done+r.Done
	}
	require.Greater(t, unknown, 10)
	require.Greater(t, readErrors, 3)
	require.Greater(t, done, 20)
}

// What is certainly not done is no part of the history, and if it is done all the same, that is seen.
func TestNotDone(t *testing.T) {
	for lie, want := range map[bool]porcupine.CheckResult{false: porcupine.Ok, true: porcupine.Illegal} {
		r := linear.Run(t, linear.Config{
			For: 300 * time.Millisecond, Think: time.Millisecond,
			Open:    func(int) (store.Store, error) { return refusing{slow{store.NewMemory()}, lie}, nil },
			Clients: 1, Keys: 1,
			NotDone: func(err error) bool { return errors.Is(err, errLost) },
		})
		require.Equal(t, want, r.Verdict)
		require.Zero(t, r.Unknown)
	}
}

type refusing struct {
	slow
	lie bool
}

func (s refusing) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if sometimes(4) {
		if s.lie {
			_, _ = s.slow.Put(ctx, key, r)
		}
		return 0, errLost
	}
	return s.slow.Put(ctx, key, r)
}

// Chaos ends before the last reads, and a store that comes back late is waited for.
func TestChaos(t *testing.T) {
	down := make(chan struct{})
	s := &switched{slow: slow{store.NewMemory()}}
	r := linear.Run(t, linear.Config{
		For:  300 * time.Millisecond,
		Open: func(int) (store.Store, error) { return s, nil },
		Chaos: func(ctx context.Context) {
			s.set(true)
			<-ctx.Done()
			time.AfterFunc(200*time.Millisecond, func() {
				s.set(false)
				close(down)
			})
		},
	})
	<-down
	require.Equal(t, porcupine.Ok, r.Verdict)
	require.Greater(t, r.ReadErrors, 10)
	require.GreaterOrEqual(t, r.Reads, 3, "one of each key, in the end")
}

type switched struct {
	slow
	mu   sync.Mutex
	down bool
}

func (s *switched) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *switched) isDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

func (s *switched) Get(ctx context.Context, key string) (store.Record, error) {
	if s.isDown() {
		return store.Record{}, errLost
	}
	return s.slow.Get(ctx, key)
}

func (s *switched) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if s.isDown() {
		return 0, errLost
	}
	return s.slow.Put(ctx, key, r)
}
