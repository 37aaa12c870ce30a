package natscluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// value is as long as a sealed record usually is.
var value = make([]byte, 400)

// BenchmarkStore measures each method beside what the engine's own client library takes for the same, on the same servers.
// Sixteen clients work at a time, each on its own keys. "requests/op" is how many requests, one round trip each, a call makes.
func BenchmarkStore(b *testing.B) {
	for _, servers := range []int{1, 3} {
		b.Run(fmt.Sprint(servers, " servers"), func(b *testing.B) {
			c := natscluster.Start(b, servers, natscluster.Options{})
			nc := c.Connect(b)
			js := natscluster.JetStream(b, nc)
			open := func(reads natsstore.Reads) *natsstore.Store {
				s, err := natsstore.New(b.Context(), js, &natsstore.Options{Buckets: 16, Replicas: servers, Reads: reads})
				require.NoError(b, err)
				return s
			}
			confirmed, leader := open(natsstore.ConfirmedReads), open(natsstore.LeaderReads)
			// The engine without the store: as many buckets, with the library's own key-value calls.
			var raw []jetstream.KeyValue
			for i := range 16 {
				kv, err := js.CreateKeyValue(b.Context(), jetstream.KeyValueConfig{
					Bucket: fmt.Sprint("raw-", i), Storage: jetstream.FileStorage, Replicas: servers,
				})
				require.NoError(b, err)
				raw = append(raw, kv)
			}
			var workers atomic.Int64
			// run calls do over and over in 16 goroutines, each with a key that prepare made.
			run := func(name string, prepare func(ctx context.Context, key string, w int) (uint64, error),
				do func(ctx context.Context, key string, w int, v uint64) (uint64, error),
			) {
				b.Run(name, func(b *testing.B) {
					b.SetParallelism(8) // times the two cores
					before := nc.Stats().OutMsgs
					b.RunParallel(func(pb *testing.PB) {
						ctx, w := context.Background(), int(workers.Add(1))
						key := fmt.Sprintf("bench/%06d", w)
						v, err := prepare(ctx, key, w)
						for pb.Next() {
							if err == nil {
								v, err = do(ctx, key, w, v)
							}
						}
						if err != nil {
							b.Error(err)
						}
					})
					b.ReportMetric(float64(nc.Stats().OutMsgs-before)/float64(b.N), "requests/op")
				})
			}
			put := func(s *natsstore.Store) func(context.Context, string, int, uint64) (uint64, error) {
				return func(ctx context.Context, key string, _ int, v uint64) (uint64, error) {
					next, err := s.Put(ctx, key, store.Record{Value: value, Version: store.Version(v), Expires: time.Now().Add(24 * time.Hour)})
					return uint64(next), err
				}
			}
			create := func(ctx context.Context, key string, w int) (uint64, error) { return put(confirmed)(ctx, key, w, 0) }
			get := func(s *natsstore.Store) func(context.Context, string, int, uint64) (uint64, error) {
				return func(ctx context.Context, key string, _ int, _ uint64) (uint64, error) {
					r, err := s.Get(ctx, key)
					return uint64(r.Version), err
				}
			}
			rawCreate := func(ctx context.Context, key string, w int) (uint64, error) { return raw[w%16].Create(ctx, key, value) }

			run("raw/compare-and-swap", rawCreate, func(ctx context.Context, key string, w int, v uint64) (uint64, error) {
				return raw[w%16].Update(ctx, key, value, v)
			})
			run("store/Put", create, put(confirmed))
			// Which may be of a server that has not heard of the key yet.
			run("raw/get of any server", rawCreate, func(ctx context.Context, key string, w int, v uint64) (uint64, error) {
				if _, err := raw[w%16].Get(ctx, key); !errors.Is(err, jetstream.ErrKeyNotFound) {
					return v, err
				}
				return v, nil
			})
			run("store/Get, leader", create, get(leader))
			run("store/Get, confirmed", create, get(confirmed))
			run("raw/create and delete", func(context.Context, string, int) (uint64, error) { return 0, nil },
				func(ctx context.Context, key string, w int, v uint64) (uint64, error) {
					key = fmt.Sprintf("%s/%d", key, v)
					rev, err := raw[w%16].Create(ctx, key, value)
					if err != nil {
						return 0, err
					}
					return v + 1, raw[w%16].Delete(ctx, key, jetstream.LastRevision(rev))
				})
			run("store/create and Delete", func(context.Context, string, int) (uint64, error) { return 0, nil },
				func(ctx context.Context, key string, w int, v uint64) (uint64, error) {
					key = fmt.Sprintf("%s/%d", key, v)
					rev, err := put(confirmed)(ctx, key, w, 0)
					if err != nil {
						return 0, err
					}
					return v + 1, confirmed.Delete(ctx, key, store.Version(rev))
				})
		})
	}
}
