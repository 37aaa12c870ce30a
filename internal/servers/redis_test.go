package servers_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
)

// do runs a command that must succeed.
func do(t *testing.T, r *servers.RedisServer, args ...string) string {
	t.Helper()
	out, err := r.Do(t.Context(), args...)
	require.NoError(t, err)
	return out
}

func TestRedis(t *testing.T) {
	r := servers.Redis(t)
	require.Equal(t, "appendfsync\nalways", do(t, r, "CONFIG", "GET", "appendfsync"))
	do(t, r, "SET", "k", "v")
	require.NoError(t, r.Kill())
	_, err := r.Do(t.Context(), "GET", "k")
	require.Error(t, err, "it is dead")
	require.NoError(t, r.Restart())
	require.Equal(t, "v", do(t, r, "GET", "k"))

	require.NoError(t, r.Stop())
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = r.Do(ctx, "GET", "k")
	require.Error(t, err)
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	require.NoError(t, r.Cont())
	require.Equal(t, "v", do(t, r, "GET", "k"))
	require.NoError(t, r.Restart(), "while it runs")
	require.Equal(t, "v", do(t, r, "GET", "k"))
	_, err = r.Do(t.Context(), "NO SUCH COMMAND")
	require.Error(t, err)
}

// A cluster serves every slot, and goes on when a primary has died.
func TestRedisCluster(t *testing.T) {
	nodes := servers.RedisCluster(t)
	require.Len(t, nodes, 6)
	primaries := func() (all []*servers.RedisServer) {
		for _, n := range nodes {
			if is, err := n.IsPrimary(t.Context()); err == nil && is {
				all = append(all, n)
			}
		}
		return all
	}
	before := primaries()
	require.Len(t, before, 3)
	require.Equal(t, "OK", do(t, before[1], "-c", "SET", "k", "v"))
	require.NoError(t, before[0].Kill())
	require.Eventually(t, func() bool { return len(primaries()) == 3 }, 30*time.Second, 100*time.Millisecond)
	require.Eventually(t, func() bool {
		out, err := before[1].Do(t.Context(), "-c", "GET", "k")
		return err == nil && out == "v"
	}, 30*time.Second, 100*time.Millisecond)
}
