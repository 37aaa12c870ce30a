package rates_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store/natsstore"
)

// buckets is over how many the keys are spread, by the store and by hand.
const buckets = 16

// nats compares with so many servers, each of which keeps everything.
func nats(t *testing.T, servers int, c settings) {
	t.Helper()
	cluster := natscluster.Start(t, servers, natscluster.Options{})
	nc := cluster.Connect(t)
	js := natscluster.JetStream(t, nc)
	open := func(reads natsstore.Reads) *natsstore.Store {
		s, err := natsstore.New(t.Context(), js, &natsstore.Options{Buckets: buckets, Replicas: servers, Reads: reads})
		require.NoError(t, err)
		return s
	}
	s, leader := open(natsstore.ConfirmedReads), open(natsstore.LeaderReads)
	raw := rawNATS(t, js, servers)
	ops := operations(t, s, raw, least)
	if servers > 1 { // with one, they are the same
		ops = append(ops, operation{
			name: "get, LeaderReads",
			store: func(ctx context.Context, c int) error {
				_, err := leader.Get(ctx, fmt.Sprintf("swap/%d", c))
				return err
			},
			raw: func(ctx context.Context, c int) error { return raw.get(ctx, fmt.Sprintf("swap/%d", c)) },
		})
	}
	c.trips = func() int64 { return int64(nc.Stats().OutMsgs) }
	c.all(t, fmt.Sprintf("NATS, %d of %d", servers, servers), ops)
}

// rawNATS uses the key-value calls of the engine's own client library, with its settings: any server answers a read, perhaps
// with what was replaced. Its listings go by subscription, which is another thing than reading records.
func rawNATS(t *testing.T, js jetstream.JetStream, servers int) byHand {
	t.Helper()
	var all [buckets]jetstream.KeyValue
	for i := range all {
		var err error
		all[i], err = js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{
			Bucket: fmt.Sprint("raw-", i), Storage: jetstream.FileStorage, Replicas: servers,
		})
		require.NoError(t, err)
	}
	in := func(key string) jetstream.KeyValue { return all[crc32.ChecksumIEEE([]byte(key))%buckets] }
	return byHand{
		get: func(ctx context.Context, key string) error {
			_, err := in(key).Get(ctx, key)
			if errors.Is(err, jetstream.ErrKeyNotFound) {
				return nil // by a server that has not heard of the key yet
			}
			return err
		},
		create: func(ctx context.Context, key string) (int64, error) {
			v, err := in(key).Create(ctx, key, value)
			return int64(v), err
		},
		swap: func(ctx context.Context, key string, version int64) (int64, error) {
			v, err := in(key).Update(ctx, key, value, uint64(version))
			return int64(v), err
		},
		refuse: func(ctx context.Context, key string) error {
			_, err := in(key).Update(ctx, key, value, 1<<40)
			if refused, ok := errors.AsType[*jetstream.APIError](err); ok && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
				return errOther
			}
			return err
		},
		remove: func(ctx context.Context, key string, version int64) error {
			return in(key).Delete(ctx, key, jetstream.LastRevision(uint64(version)))
		},
	}
}
