package outbox_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
)

// trace notes each call to a store, with the length of what is written.
type trace struct {
	*store.Memory
	mu    sync.Mutex
	calls []string
}

func (s *trace) note(method, key string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, _, _ := strings.Cut(key, "/")
	if kind == "test.clerk" {
		return // the owner's own
	}
	s.calls = append(s.calls, method+" "+kind+" "+strings.Repeat("#", n))
}

func (s *trace) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls
	s.calls = nil
	return out
}

func (s *trace) Get(ctx context.Context, key string) (store.Record, error) {
	s.note("get", key, 0)
	return s.Memory.Get(ctx, key)
}

func (s *trace) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	s.note("put", key, len(r.Value))
	return s.Memory.Put(ctx, key, r)
}

func (s *trace) Delete(ctx context.Context, key string, v store.Version) error {
	s.note("delete", key, 0)
	return s.Memory.Delete(ctx, key, v)
}

func (s *trace) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	s.note("list", prefix, 0)
	return s.Memory.List(ctx, prefix, after)
}

// A stranger's request makes the same calls, and entries of the same length, as a citizen's, when it is made and when it is
// dispatched; nothing is sent, and no event names the stranger.
func TestADecoyIsTheSameWork(t *testing.T) {
	s := &trace{Memory: newMemory()}
	r := newRig(t, s, newClock(), nil)
	citizen, stranger := r.clerk.ref("AAAA", "1234"), r.clerk.ref("BBBB", "1234")
	require.NoError(t, r.out.Flush(t.Context())) // the first looks how much waits
	s.take()                                     // that, and the vault's own

	require.NoError(t, r.out.Add(t.Context(), citizen))
	add := s.take()
	require.NoError(t, r.clerk.write(t.Context(), citizen, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Commit(t.Context(), citizen))
	commit := s.take()
	require.NoError(t, r.out.Flush(t.Context()))
	flush := s.take()
	require.Len(t, r.sink.messages(), 1)
	require.Len(t, slices.DeleteFunc(slices.Clone(flush), func(c string) bool { return !strings.HasPrefix(c, "put") }), 2)

	require.NoError(t, r.out.AddDecoy(t.Context(), stranger))
	require.Equal(t, add, s.take())
	require.NoError(t, r.out.Commit(t.Context(), stranger))
	require.Equal(t, commit, s.take())
	before := len(r.log.All())
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, flush, s.take())
	require.Len(t, r.log.All(), before)

	r.clock.Add(time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

func TestADecoyNeverTakesThePlaceOfATrueEntry(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	l := letter{State: "wanted", Text: "x", To: mail("a@example.org")}
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, l))
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)

	// And a true entry takes the place of a decoy.
	ref = r.clerk.ref("A", "2")
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, l))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 2)
}

// Even if the record wants something sent under that name, a decoy sends nothing.
func TestADecoyIsNotSentEvenIfConfirmed(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Empty(t, r.sink.messages())
	require.Zero(t, r.count(t, "outbox.entry"))
	require.Equal(t, "wanted", r.clerk.state(t, ref))
}
