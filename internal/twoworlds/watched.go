package twoworlds

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// tick is how far the clock goes at each store call of a visitor.
const tick = time.Millisecond

// watched is a store, and a recorder, that notes each call before it is made, lets one of several callers go on at a time, and
// fails where a step says so.
type watched struct {
	store.Lister
	faults *storetest.Faults
	clock  *testkit.Clock

	mu     sync.Mutex
	calls  map[int][]call // by the number of the caller
	events []civicpin.Event
	told   int    // how many of the events happened returned
	turns  *turns // says which of several callers goes on; nil if there is one
	ticks  bool
	cancel func() // called at the left-th call
	left   int
}

// A call is what an observer of the database, or with a stopwatch, sees: what is done, to which kind of record, and how
// large it is.
type call struct {
	what string
	size int
}

// String writes the call.
func (c call) String() string {
	if c.size == 0 {
		return c.what
	}
	return fmt.Sprintf("%s (%d)", c.what, c.size)
}

// near reports whether two calls look the same: a size may differ by what a bucket of sizes hides.
func (c call) near(other call) bool {
	return c.what == other.what && max(c.size, other.size) <= 2*min(c.size, other.size)+256
}

func newWatched(clock *testkit.Clock) *watched {
	faults := storetest.NewFaults(store.NewMemory())
	return &watched{Lister: faults.Store().(store.Lister), faults: faults, clock: clock, calls: make(map[int][]call)}
}

// tell waits for the caller's turn, and notes a call.
func (s *watched) tell(ctx context.Context, method, key string, size int) {
	s.turns.pause(ctx)
	kind, _, _ := strings.Cut(key, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left == 0 && s.cancel != nil {
		s.cancel()
	}
	s.note(ctx, call{method + " " + kind, size})
	if s.ticks {
		s.clock.Add(tick)
	}
}

// note notes a call of the caller whose context it is. The lock is held.
func (s *watched) note(ctx context.Context, c call) {
	n := callerOf(ctx)
	s.calls[n] = append(s.calls[n], c)
}

// taken returns the calls since the last time, by the number of the caller.
func (s *watched) taken() map[int][]call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = make(map[int][]call)
	return calls
}

// happened returns the codes of the events since the last time.
func (s *watched) happened() (codes []civicpin.EventCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.told < len(s.events); s.told++ {
		codes = append(codes, s.events[s.told].Code)
	}
	return codes
}

// all returns the events, oldest first.
func (s *watched) all() []civicpin.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Record implements [civicpin.Recorder]. It notes that there was an event, and where in the call; not which.
func (s *watched) Record(ctx context.Context, e civicpin.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(ctx, call{what: "event"})
	s.events = append(s.events, e)
}

// hashed notes that a secret is hashed, where in the call, and at which cost.
func (s *watched) hashed(ctx context.Context, costs string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(ctx, call{what: "hash " + costs})
}

func (s *watched) Get(ctx context.Context, key string) (store.Record, error) {
	s.tell(ctx, storetest.Get, key, 0)
	return s.Lister.Get(ctx, key)
}

func (s *watched) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	s.tell(ctx, storetest.Put, key, len(r.Value))
	return s.Lister.Put(ctx, key, r)
}

func (s *watched) Delete(ctx context.Context, key string, v store.Version) error {
	s.tell(ctx, storetest.Delete, key, 0)
	return s.Lister.Delete(ctx, key, v)
}

func (s *watched) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	s.tell(ctx, storetest.List, prefix, 0)
	return s.Lister.List(ctx, prefix, after)
}
