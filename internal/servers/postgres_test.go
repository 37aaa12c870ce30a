package servers_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
)

// query runs a statement that must succeed.
func query(t *testing.T, p *servers.Postgres, statement string) string {
	t.Helper()
	out, err := p.Query(t.Context(), statement)
	require.NoError(t, err)
	return out
}

// hangs requires that a statement gets no answer.
func hangs(t *testing.T, p *servers.Postgres, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := p.Query(ctx, statement)
	require.Error(t, err)
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded, "%v", err)
}

func TestPostgreSQL(t *testing.T) {
	for _, bin := range servers.PostgreSQLBins(t) {
		t.Run(bin, func(t *testing.T) {
			p := servers.PostgreSQLIn(t, bin)
			require.Equal(t, "on,on", query(t, p, "SELECT current_setting('fsync') || ',' || current_setting('synchronous_commit')"))
			query(t, p, "CREATE TABLE t (n int)")
			query(t, p, "INSERT INTO t VALUES (1)")
			require.NoError(t, p.Kill())
			require.NoError(t, p.Kill(), "a second time")
			_, err := p.Query(t.Context(), "SELECT n FROM t")
			require.Error(t, err, "it is dead")
			addr := p.Addr()
			require.NoError(t, p.Restart())
			require.Equal(t, addr, p.Addr())
			require.Equal(t, "1", query(t, p, "SELECT n FROM t"))

			require.NoError(t, p.Stop())
			hangs(t, p, "SELECT n FROM t")
			require.NoError(t, p.Cont())
			require.Equal(t, "1", query(t, p, "SELECT n FROM t"))
			require.NoError(t, p.Restart(), "while it runs")
			require.Equal(t, "1", query(t, p, "SELECT n FROM t"))
			require.NoError(t, p.Stop())
			require.NoError(t, p.Kill(), "while it is frozen")
		})
	}
}

// A synchronous standby holds what was acknowledged, holds up what it cannot hold, and takes over.
func TestStandby(t *testing.T) {
	primary := servers.PostgreSQL(t)
	query(t, primary, "CREATE TABLE t (n int); CREATE TABLE u (n int)")
	for range 2 {
		standby, err := primary.AddStandby(t.Context())
		require.NoError(t, err)
		require.NoError(t, standby.Stop())
		hangs(t, primary, "INSERT INTO u VALUES (1)") // and may commit at any time after
		require.NoError(t, standby.Cont())
		query(t, primary, "DELETE FROM t; INSERT INTO t VALUES (2)")
		require.NoError(t, primary.Kill())
		require.NoError(t, standby.Promote(t.Context()))
		require.Equal(t, "2", query(t, standby, "SELECT n FROM t"))
		query(t, standby, "INSERT INTO t VALUES (3)")
		primary = standby
	}
}
