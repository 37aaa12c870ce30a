package twoworlds

import (
	"context"
	"iter"
	"strings"
	"sync"

	"github.com/civicpin/civicpin/store"
)

// watched is a store that tells of each call before it is made: its method, and the kind of the record.
type watched struct {
	store.Lister

	mu    sync.Mutex
	calls []string
	turns *turns // says which of several callers goes on; nil if there is one
}

// tell notes a call, and waits for its turn.
func (s *watched) tell(ctx context.Context, method, key string) {
	s.turns.pause(ctx)
	kind, _, _ := strings.Cut(key, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, method+" "+kind)
}

// taken returns the calls since the last time.
func (s *watched) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return strings.Join(calls, ", ")
}

func (s *watched) Get(ctx context.Context, key string) (store.Record, error) {
	s.tell(ctx, "Get", key)
	return s.Lister.Get(ctx, key)
}

func (s *watched) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	s.tell(ctx, "Put", key)
	return s.Lister.Put(ctx, key, r)
}

func (s *watched) Delete(ctx context.Context, key string, v store.Version) error {
	s.tell(ctx, "Delete", key)
	return s.Lister.Delete(ctx, key, v)
}

func (s *watched) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	s.tell(ctx, "List", prefix)
	return s.Lister.List(ctx, prefix, after)
}
