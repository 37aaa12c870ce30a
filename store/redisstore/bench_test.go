package redisstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
)

// benchValue is as long as a sealed lockout record.
var benchValue = bytes.Repeat([]byte("x"), 300)

// BenchmarkRedis measures each operation beside the plain command of Redis that comes nearest to it, on one server that waits
// for its disk. A swap is what every decision of the library costs: a Get, and a Put of the version that was read.
func BenchmarkRedis(b *testing.B) {
	const keys = 1000
	server := servers.Redis(b)
	c := dial(b, server.Addr())
	s := open(b, c, "bench")
	key := func(i int64) string { return fmt.Sprintf("bench/%06d", i%keys) }
	for i := range int64(keys) {
		_, err := s.Put(b.Context(), key(i), store.Record{Value: benchValue})
		require.NoError(b, err)
		require.NoError(b, c.Set(b.Context(), "raw:"+key(i), benchValue, 0).Err())
	}
	var n atomic.Int64
	swap := func() error {
		k := key(n.Add(1))
		for {
			r, err := s.Get(b.Context(), k)
			if err != nil {
				return err
			}
			if _, err = s.Put(b.Context(), k, r); !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
	}
	for _, op := range []struct {
		name string
		do   func() error
	}{
		{"GET", func() error { return c.Get(b.Context(), "raw:"+key(n.Add(1))).Err() }},
		{"Get", func() error { _, err := s.Get(b.Context(), key(n.Add(1))); return err }},
		{"SET", func() error { return c.Set(b.Context(), "raw:"+key(n.Add(1)), benchValue, 0).Err() }},
		{"Create", func() error {
			_, err := s.Put(b.Context(), fmt.Sprintf("new/%d", n.Add(1)), store.Record{Value: benchValue})
			return err
		}},
		{"GET and SET", func() error {
			k := "raw:" + key(n.Add(1))
			v, err := c.Get(b.Context(), k).Bytes()
			if err != nil {
				return err
			}
			return c.Set(b.Context(), k, v, 0).Err()
		}},
		{"Swap", swap},
	} {
		b.Run(op.name+"/one", func(b *testing.B) {
			for b.Loop() {
				if err := op.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(op.name+"/64", func(b *testing.B) {
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := op.do(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
