package natscluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// refused requires that New refuses a setting.
func refused(t *testing.T, js jetstream.JetStream, opts natsstore.Options, setting string) {
	t.Helper()
	_, err := natsstore.New(t.Context(), js, &opts)
	got, ok := errors.AsType[*natsstore.SettingError](err)
	require.True(t, ok, "%s: %v", setting, err)
	assert.Equal(t, setting, got.Setting, "%v", err)
}

// TestUnsafeBuckets makes buckets that are set otherwise than the store does it, as far as the server lets one, and opens
// them.
func TestUnsafeBuckets(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 1, natscluster.Options{})
	js := natscluster.JetStream(t, c.Connect(t))
	for setting, spoil := range map[string]func(*jetstream.StreamConfig){
		"civicpin_buckets": func(c *jetstream.StreamConfig) { c.Metadata = nil },
		"subjects":         func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "more.>") },
		"subject_transform": func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: ">", Destination: "x.>"}
		},
		"sources":                 func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{Name: "elsewhere"}} },
		"allow_direct":            func(c *jetstream.StreamConfig) { c.AllowDirect = true },
		"storage":                 func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"no_ack":                  func(c *jetstream.StreamConfig) { c.NoAck = true },
		"persist_mode":            func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode },
		"retention":               func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"max_age":                 func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"discard":                 func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"max_msgs_per_subject":    func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 64 },
		"discard_new_per_subject": func(c *jetstream.StreamConfig) { c.DiscardNewPerSubject = true },
		"allow_msg_ttl":           func(c *jetstream.StreamConfig) { c.AllowMsgTTL = false },
		"duplicate_window":        func(c *jetstream.StreamConfig) { c.Duplicates = time.Second },
		"max_msg_size":            func(c *jetstream.StreamConfig) { c.MaxMsgSize = 100 << 10 },
	} {
		name := "unsafe-" + setting
		opts := natsstore.Options{Name: name, Buckets: 2, Replicas: 1}
		_, err := natsstore.New(t.Context(), js, &opts)
		require.NoError(t, err)
		_, err = natsstore.New(t.Context(), js, &opts)
		require.NoError(t, err, "what it made itself")
		// The last of them: each is looked at.
		stream, err := js.Stream(t.Context(), "KV_"+name+"-1")
		require.NoError(t, err)
		config := stream.CachedInfo().Config
		require.NoError(t, js.DeleteStream(t.Context(), config.Name))
		spoil(&config)
		_, err = js.CreateStream(t.Context(), config)
		require.NoError(t, err, setting)
		refused(t, js, opts, setting)
	}

	// A bucket as the engine's own client library makes it.
	_, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "library-0", Storage: jetstream.FileStorage})
	require.NoError(t, err)
	refused(t, js, natsstore.Options{Name: "library", Replicas: 1}, "civicpin_buckets")
}

// TestBuckets: the number of buckets, and that all are there, is part of what makes the records be found.
func TestBuckets(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 1, natscluster.Options{})
	js := natscluster.JetStream(t, c.Connect(t))
	opts := natsstore.Options{Buckets: 4, Replicas: 1}
	// All processes of a new installation start at once.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := natsstore.New(t.Context(), js, &opts)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	for _, n := range []int{1, 3, 5, 64} {
		refused(t, js, natsstore.Options{Buckets: n, Replicas: 1}, "civicpin_buckets")
	}
	refused(t, js, natsstore.Options{Buckets: 4}, "num_replicas")
	s, err := natsstore.New(t.Context(), js, &opts)
	require.NoError(t, err)
	keys := make(map[string]bool)
	for i := range 20 {
		key := fmt.Sprint("key", i)
		keys[key] = true
		_, err := s.Put(t.Context(), key, store.Record{})
		require.NoError(t, err)
	}
	require.NoError(t, js.DeleteStream(t.Context(), "KV_civicpin-2"))
	refused(t, js, opts, "name") // and makes no empty one in its place
	_, err = js.Stream(t.Context(), "KV_civicpin-2")
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
	// The store that is open does not take the loss for an absence, or half a list for a whole one.
	lost := 0
	for key := range keys {
		if _, err := s.Get(t.Context(), key); err != nil {
			lost++
			require.NotErrorIs(t, err, store.ErrNotFound)
			_, err = within(t, time.Second, func(ctx context.Context) (store.Version, error) { return s.Put(ctx, key, store.Record{}) })
			require.Error(t, err)
			require.NotErrorIs(t, err, store.ErrConflict)
		}
	}
	require.Positive(t, lost)
	var last error
	for _, err := range s.List(t.Context(), "", "") {
		last = err
	}
	require.Error(t, last)

	require.NoError(t, js.DeleteStream(t.Context(), "KV_civicpin-0"))
	refused(t, js, opts, "name") // the others hold records

	// An installation that died before it had made all is finished by the next.
	opts.Name = "unfinished"
	_, err = natsstore.New(t.Context(), js, &opts)
	require.NoError(t, err)
	for _, i := range []int{0, 2} {
		require.NoError(t, js.DeleteStream(t.Context(), fmt.Sprint("KV_unfinished-", i)))
	}
	_, err = natsstore.New(t.Context(), js, &opts)
	require.NoError(t, err)
}

func TestCheckServers(t *testing.T) {
	t.Parallel()
	check := func(c *natscluster.Cluster, n int) error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		return natsstore.CheckServers(ctx, c.ConnectSystem(t), n)
	}
	always := natscluster.Start(t, 1, natscluster.Options{})
	require.NoError(t, check(always, 1))
	require.ErrorIs(t, check(always, 2), context.DeadlineExceeded, "one did not answer")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.Error(t, natsstore.CheckServers(ctx, always.Connect(t), 1), "not the system account")

	later := natscluster.Start(t, 1, natscluster.Options{SyncInterval: "2m"})
	err := check(later, 1)
	got, ok := errors.AsType[*natsstore.SettingError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "sync_interval", got.Setting)
}

// TestTimesToLive: the engine is told when a record may go, and never too early a time; deletions leave a mark that goes by
// itself.
func TestTimesToLive(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 1, natscluster.Options{})
	js := natscluster.JetStream(t, c.Connect(t))
	s, err := natsstore.New(t.Context(), js, &natsstore.Options{Buckets: 1, Replicas: 1})
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), "KV_civicpin-0")
	require.NoError(t, err)
	ttl := func(key string) time.Duration {
		m, err := stream.GetLastMsgForSubject(t.Context(), "$KV.civicpin-0."+key)
		require.NoError(t, err)
		d, _ := time.ParseDuration(m.Header.Get("Nats-TTL"))
		return d
	}
	v, err := s.Put(t.Context(), "key", store.Record{ExpiresAt: time.Now().Add(5 * time.Hour)})
	require.NoError(t, err)
	require.InDelta(t, 5*time.Hour+10*time.Second, ttl("key"), float64(5*time.Second))
	v, err = s.Put(t.Context(), "key", store.Record{Version: v})
	require.NoError(t, err)
	require.Zero(t, ttl("key"), "a record that is kept for ever, where one was that was not")
	require.NoError(t, s.Delete(t.Context(), "key", v))
	require.Equal(t, 2*time.Minute, ttl("key"))
	_, err = s.Put(t.Context(), "key", store.Record{ExpiresAt: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl("key"))
}
