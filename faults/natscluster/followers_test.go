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
	"github.com/civicpin/civicpin/faults/proxy"
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
	c, links := startWithRoutes(t, 3)
	streams := []string{"KV_civicpin-0"}
	opts := natsstore.Options{Buckets: len(streams)}
	open(t, c, opts) // makes the bucket
	leader := leaderOf(t, c, c.Connect(t), streams[0])
	writes := open(t, c, opts, leader)
	js := natscluster.JetStream(t, c.Connect(t))
	for _, name := range streams {
		s, err := js.Stream(t.Context(), name)
		require.NoError(t, err)
		config := s.CachedInfo().Config
		config.AllowDirect = true
		_, err = js.UpdateStream(t.Context(), config)
		require.NoError(t, err)
	}
	// One follower is far away. If all are near, followers lag by less, and it takes more tries to find that out.
	far := others(c, leader)[0]
	links.around(t, c, far, proxy.Latency)
	_, err := natsstore.New(t.Context(), js, &opts)
	unsafe, ok := errors.AsType[*natsstore.SettingError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "allow_direct", unsafe.Setting)

	var all []*followerReads
	for _, s := range c.Servers {
		all = append(all, &followerReads{
			Store: writes.Store, js: natscluster.JetStream(t, c.Connect(t, s)), streams: streams,
			places: make(map[string]followed),
		})
	}
	run := func(open func(client int) (store.Store, error)) linear.Result {
		return linear.Run(t, linear.Config{
			// More keys than elsewhere: to find that there is no explanation takes long where many calls overlap.
			Clients: clients, Keys: 12, For: 2 * time.Second, Think: 10 * time.Millisecond, Open: open,
		})
	}
	for try := 1; ; try++ {
		r := run(func(client int) (store.Store, error) { return all[client%len(all)], nil })
		if r.Verdict == porcupine.Illegal {
			t.Logf("found at try %d", try)
			break
		}
		require.Less(t, try, 10, "the checker does not see that followers lag: %s", r)
	}
	// The store itself, opened while the setting was right, goes on asking leaders.
	r := run(func(int) (store.Store, error) { return writes.Store, nil })
	require.Equal(t, porcupine.Ok, r.Verdict, "%s", r)
}
