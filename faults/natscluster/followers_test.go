package natscluster_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/linear"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// followerReads writes as the store does, and reads as a store would that had left allow_direct on, which is what the engine's
// own client library sets: from whichever server is nearest.
type followerReads struct {
	*natsstore.Store
	js      jetstream.JetStream
	streams []string

	mu     sync.Mutex
	places map[string]followed
}

type followed struct {
	stream  jetstream.Stream
	subject string
}

func (f *followerReads) Get(ctx context.Context, key string) (store.Record, error) {
	at, err := f.place(ctx, key)
	if err != nil {
		return store.Record{}, err
	}
	if at.stream == nil {
		return f.Store.Get(ctx, key) // nobody wrote it yet
	}
	m, err := at.stream.GetLastMsgForSubject(ctx, at.subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Header.Get("KV-Operation") != "" {
		return store.Record{}, store.ErrNotFound
	}
	if err != nil {
		return store.Record{}, err
	}
	const header = 9 // format and expiry
	return store.Record{Value: m.Data[header:], Version: store.Version(m.Sequence)}, nil
}

// place finds where a key is kept.
func (f *followerReads) place(ctx context.Context, key string) (followed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.places[key]; ok {
		return p, nil
	}
	for _, name := range f.streams {
		stream, err := f.js.Stream(ctx, name)
		if err != nil {
			return followed{}, err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(">"))
		if err != nil {
			return followed{}, err
		}
		for subject := range info.State.Subjects {
			rest := strings.TrimPrefix(subject, "$KV."+strings.TrimPrefix(name, "KV_")+".")
			if strings.ReplaceAll(rest, ".", "") == key {
				f.places[key] = followed{stream, subject}
				return f.places[key], nil
			}
		}
	}
	return followed{}, nil
}

// TestFollowerReadsAreFound lets followers answer reads, and the checker has to find that out: otherwise it would prove
// nothing about the store.
func TestFollowerReadsAreFound(t *testing.T) {
	t.Parallel()
	// Servers that are 20 ms apart, as in two towns: without that, followers lag less, and it takes a few tries more.
	c, links := startWithRoutes(t, 3)
	streams := []string{"KV_civicpin-0", "KV_civicpin-1"}
	opts := natsstore.Options{Buckets: len(streams)}
	plain := stores(t, c, opts, 1)
	js := natscluster.JetStream(t, c.Connect(t))
	for _, name := range streams {
		s, err := js.Stream(t.Context(), name)
		require.NoError(t, err)
		config := s.CachedInfo().Config
		config.AllowDirect = true
		_, err = js.UpdateStream(t.Context(), config)
		require.NoError(t, err)
	}
	for _, l := range links {
		l.Slow(20*time.Millisecond, 5*time.Millisecond)
	}
	_, err := natsstore.New(t.Context(), js, &opts)
	unsafe, ok := errors.AsType[*natsstore.SettingError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "allow_direct", unsafe.Setting)

	writes, err := plain(0)
	require.NoError(t, err)
	var all []*followerReads
	for _, s := range c.Servers {
		all = append(all, &followerReads{
			Store: writes.(*natsstore.Store), js: natscluster.JetStream(t, c.Connect(t, s)), streams: streams,
			places: make(map[string]followed),
		})
	}
	for try := 1; ; try++ {
		r := linear.Run(t, linear.Config{
			// More keys than elsewhere: to find that there is no explanation takes long where many calls overlap.
			Clients: clients, Keys: 12, For: 2 * time.Second, Think: 10 * time.Millisecond,
			Open: func(client int) (store.Store, error) { return all[client%len(all)], nil },
		})
		if r.Verdict == porcupine.Illegal {
			t.Logf("found at try %d: %s", try, r)
			return
		}
		require.Less(t, try, 10, "the checker does not see that followers lag: %s", r)
	}
}
