package flows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/flows"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/store"
)

// quiet is a test whose failures are the broken promises that another test looks for.
type quiet struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func (q *quiet) Helper()                   {}
func (q *quiet) Error(args ...any)         { q.note(fmt.Sprint(args...)) }
func (q *quiet) Errorf(f string, a ...any) { q.note(fmt.Sprintf(f, a...)) }

func (q *quiet) note(s string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.said = append(q.said, s)
}

// A store that goes back to what it was, as a failover to a machine does that lagged behind, is found out by every kind of
// client whose promises it broke.
func TestRollbackIsSeen(t *testing.T) {
	for kind, what := range map[string]string{
		"login": "changes", "code": "codes used", "lock": "locks", "issue": "issues", "recover": "recoveries finished",
	} {
		t.Run(kind, func(t *testing.T) {
			s := &rollback{Memory: store.NewMemory(), was: make(map[string]store.Record)}
			q := &quiet{TB: t}
			flows.Run(q, flows.Config{
				Clients: 1,
				Kinds:   []flows.Kind{flows.Kinds[slices.IndexFunc(flows.Kinds, func(k flows.Kind) bool { return k.Name == kind })]},
				Open:    func(int) (store.Store, error) { return s, nil },
				Arrival: time.Second,
				Chaos: func(ctx context.Context, j *kit.Journal) {
					require.NoError(t, j.Progress(ctx, 1, what))
					s.begin()
					require.NoError(t, j.Progress(ctx, 1, what))
					s.back()
				},
			})
			require.Contains(t, strings.Join(q.said, "\n"), kind+" ")
		})
	}
}

// rollback remembers what records were when it was told to, and goes back to that.
type rollback struct {
	*store.Memory
	mu     sync.Mutex
	noting bool
	was    map[string]store.Record // version zero: there was none
}

func (s *rollback) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noting = true
}

func (s *rollback) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx := context.Background()
	for key, was := range s.was {
		now, err := s.Memory.Get(ctx, key)
		switch {
		case err != nil:
		case was.Version == 0:
			_ = s.Memory.Delete(ctx, key, now.Version)
		default:
			was.Version = now.Version
			_, _ = s.Memory.Put(ctx, key, was)
		}
	}
	s.noting = false
}

func (s *rollback) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, err := s.Memory.Get(ctx, key)
	v, putErr := s.Memory.Put(ctx, key, r)
	if _, noted := s.was[key]; s.noting && putErr == nil && !noted {
		if err != nil {
			was = store.Record{}
		}
		s.was[key] = was
	}
	return v, putErr
}
