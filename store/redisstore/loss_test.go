package redisstore_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/redisstore"
)

// TestAcknowledgedLoss shows why a credential does not belong here: of writes that were acknowledged, by a primary that had
// them on its disk, some are gone when a replica takes over that had fallen behind. How many is chance, so it is told and not
// demanded.
func TestAcknowledgedLoss(t *testing.T) {
	const writes, size = 150, 32 << 10 // more than the buffers of a connection, which outlive the primary
	primary := servers.Redis(t, "--repl-diskless-sync-delay", "0")
	host, port, err := net.SplitHostPort(primary.Addr())
	require.NoError(t, err)
	replica := servers.Redis(t, "--replicaof", host, port)
	second := dial(t, replica.Addr())
	require.Eventually(t, func() bool {
		info, err := second.Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	}, 30*time.Second, 20*time.Millisecond)

	s := open(t, dial(t, primary.Addr()), "loss")
	locked, err := s.Put(t.Context(), "lockout.pin/1", store.Record{Value: []byte("4 wrong guesses")})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		n, err := second.Exists(t.Context(), "loss:lockout.pin/1").Result()
		return err == nil && n == 1
	}, 10*time.Second, 10*time.Millisecond)

	require.NoError(t, replica.Stop()) // a slow network, a busy machine
	value := []byte(strings.Repeat("x", size))
	for i := range writes {
		_, err := s.Put(t.Context(), fmt.Sprintf("quota.a/%04d", i), store.Record{Value: value})
		require.NoError(t, err)
	}
	_, err = s.Put(t.Context(), "lockout.pin/1", store.Record{Value: []byte("locked"), Version: locked})
	require.NoError(t, err, "acknowledged, and on the primary's disk")
	require.NoError(t, primary.Kill())
	require.NoError(t, replica.Cont())
	require.NoError(t, second.ReplicaOf(t.Context(), "NO", "ONE").Err()) // what a sentinel or a cluster does

	promoted, err := redisstore.New(t.Context(), second, &redisstore.Options{Prefix: "loss"})
	require.NoError(t, err)
	lost := 0
	for i := range writes {
		switch _, err := promoted.Get(t.Context(), fmt.Sprintf("quota.a/%04d", i)); {
		case errors.Is(err, store.ErrNotFound):
			lost++
		case err != nil:
			require.NoError(t, err)
		}
	}
	r, err := promoted.Get(t.Context(), "lockout.pin/1")
	require.NoError(t, err)
	t.Logf("of %d acknowledged writes %d are lost; the record of the lock says %q", writes, lost, r.Value)
}
