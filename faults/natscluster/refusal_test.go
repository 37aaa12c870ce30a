package natscluster_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// TestRefusedByFormerLeader plays a server that takes itself for the leader and is it no more: it refuses every write before
// the real leader has done it. The store has to find out that the write was done.
func TestRefusedByFormerLeader(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 3, natscluster.Options{})
	opts := natsstore.Options{Buckets: 1}
	open(t, c, opts) // makes the bucket
	leader := leaderOf(t, c, c.Connect(t), "KV_civicpin-0")
	// Both at a server that does not lead, so that the refusal is the first answer.
	near := others(c, leader)[0]
	for name, answer := range map[string]string{
		"busy":     `{"code":400,"err_code":10164,"description":"wrong last sequence"}`,
		"behind":   `{"code":400,"err_code":10071,"description":"wrong last sequence: 0"}`,
		"ahead":    `{"code":400,"err_code":10071,"description":"wrong last sequence: 1000000"}`,
		"in doubt": `{"code":400,"err_code":10071,"description":"wrong last sequence"}`,
	} {
		t.Run(name, func(t *testing.T) {
			former := c.Connect(t, near)
			var refusals atomic.Int64
			sub, err := former.Subscribe("$KV.civicpin-0.refused/.>", func(m *nats.Msg) {
				refusals.Add(1)
				_ = m.Respond(fmt.Appendf(nil, `{"error":%s,"stream":"KV_civicpin-0","seq":0}`, answer))
			})
			require.NoError(t, err)
			require.NoError(t, former.Flush())
			s := open(t, c, opts, near)
			key := "refused/" + strings.ReplaceAll(name, " ", "-")
			var v store.Version
			for i := range 5 {
				value := fmt.Appendf(nil, "value %d", i)
				next, err := s.Put(t.Context(), key, store.Record{Value: value, Version: v})
				require.NoError(t, err)
				r, err := s.Get(t.Context(), key)
				require.NoError(t, err)
				require.Equal(t, store.Record{Value: value, Version: next}, r)
				v = next
			}
			require.NoError(t, s.Delete(t.Context(), key, v))
			_, err = s.Get(t.Context(), key)
			require.ErrorIs(t, err, store.ErrNotFound)
			// What is refused by both is refused, once it is known.
			if name == "ahead" {
				_, err = s.Put(t.Context(), key, store.Record{Version: v})
				require.ErrorIs(t, err, store.ErrConflict)
				require.ErrorIs(t, s.Delete(t.Context(), key, v), store.ErrConflict)
			}
			require.NoError(t, sub.Unsubscribe())
			require.NoError(t, former.Flush())
			require.GreaterOrEqual(t, refusals.Load(), int64(6))
			_, err = s.Put(t.Context(), key, store.Record{Version: v})
			require.ErrorIs(t, err, store.ErrConflict)
		})
	}
}
