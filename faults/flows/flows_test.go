package flows_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/flows"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/store"
)

// On a store that keeps its promises nothing is broken, also if it loses answers.
func TestGood(t *testing.T) {
	s := &flaky{Memory: store.NewMemory(), oneIn: 200}
	j := flows.Run(t, flows.Config{
		Clients: len(flows.Kinds),
		Open:    func(int) (store.Store, error) { return s, nil },
		Chaos: func(ctx context.Context, j *kit.Journal) {
			s.bad.Store(true)
			require.NoError(t, j.Progress(ctx, 1,
				"exchanges", "logins", "codes used", "codes refused", "locks", "issues", "recoveries finished"))
			require.NoError(t, j.Progress(ctx, 1, "codes failed", "guesses failed"))
			s.bad.Store(false)
			require.NoError(t, j.Progress(ctx, 1, "logins", "codes used", "locks", "issues", "recoveries finished"))
		},
	})
	require.Empty(t, j.Broken())
	for _, what := range []string{
		"logins audited", "codes audited", "locks audited", "parts audited", "recoveries begun", "links used", "recovery codes used",
		"recoveries completed", "recoveries finished", "recoveries refused", "recoveries audited", "notices audited",
	} {
		require.Positive(t, j.Counts()[what], what)
	}
}

// What a recovery gives may be lost on its way: the citizen's secret is what it was, but for a PIN that was not exchanged, which
// a recovery ends.
func TestLostRecoveries(t *testing.T) {
	s := &flaky{Memory: store.NewMemory(), oneIn: 12}
	flows.Run(t, flows.Config{
		Kinds: flows.Kinds[len(flows.Kinds)-1:],
		Open:  func(int) (store.Store, error) { return s, nil },
		Chaos: func(ctx context.Context, j *kit.Journal) {
			s.bad.Store(true)
			require.NoError(t, j.Progress(ctx, 5, "recoveries lost"))
			s.bad.Store(false)
			require.NoError(t, j.Progress(ctx, 1, "recoveries finished"))
		},
	})
}

var errLost = errors.New("connection lost")

// flaky loses answers for a while: of writes that it does, and of writes that it does not do.
type flaky struct {
	*store.Memory
	bad   atomic.Bool
	oneIn int // answers
}

func (s *flaky) lost() bool { return s.bad.Load() && rand.IntN(s.oneIn) == 0 }

func (s *flaky) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if s.lost() {
		return 0, errLost
	}
	v, err := s.Memory.Put(ctx, key, r)
	if err == nil && s.lost() {
		return 0, errLost
	}
	return v, err
}

func (s *flaky) Get(ctx context.Context, key string) (store.Record, error) {
	if s.lost() {
		return store.Record{}, errLost
	}
	return s.Memory.Get(ctx, key)
}
