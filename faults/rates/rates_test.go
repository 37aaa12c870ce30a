package rates_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store/redisstore"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/sqlstore"
)

func TestMain(m *testing.M) {
	natscluster.Main()
	os.Exit(m.Run())
}

// TestRates prints a table for each store, and asks of those that hold credentials half of the raw engine's rate of
// compare-and-swap, which is what counting a guess is.
func TestRates(t *testing.T) {
	how := settings{rounds: kit.Pick(5, 11), slice: kit.Pick(20*time.Millisecond, 400*time.Millisecond)}
	t.Run("SQLite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "pins.db"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		how.all(t, "SQLite", operations(t, s, rawSQLite(t), least))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		p := servers.PostgreSQL(t)
		var trips atomic.Int64
		config, err := pgx.ParseConfig(p.DSN())
		require.NoError(t, err)
		config.DialFunc = counting(config.DialFunc, &trips)
		db := stdlib.OpenDB(*config)
		t.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(crowd)
		db.SetMaxIdleConns(crowd)
		s, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL, nil)
		require.NoError(t, err)
		how := how
		how.trips = trips.Load
		how.all(t, "PostgreSQL", operations(t, s, rawPostgres(t, p.DSN()), least))
	})
	t.Run("NATS", func(t *testing.T) { nats(t, 1, how) })
	if kit.Full() {
		t.Run("NATS cluster", func(t *testing.T) { nats(t, 3, how) })
	}
	t.Run("Redis", func(t *testing.T) {
		var trips atomic.Int64
		c := redis.NewClient(&redis.Options{
			Addr: servers.Redis(t).Addr(), ContextTimeoutEnabled: true, DisableIdentity: true, PoolSize: crowd,
			Dialer: counting((&net.Dialer{}).DialContext, &trips),
		})
		t.Cleanup(func() { _ = c.Close() })
		s, err := redisstore.New(t.Context(), c, nil)
		require.NoError(t, err)
		how := how
		how.trips = trips.Load
		how.all(t, "Redis", operations(t, s, rawRedis(t, c), 0))
	})
}

// counting returns a dialer whose connections count how often their user begins to wait for an answer to what it sent.
func counting(dial func(ctx context.Context, network, addr string) (net.Conn, error), trips *atomic.Int64,
) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &counted{Conn: conn, trips: trips}, nil
	}
}

type counted struct {
	net.Conn
	sent  atomic.Bool
	trips *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.sent.Store(true)
	return c.Conn.Write(b)
}

func (c *counted) Read(b []byte) (int, error) {
	if c.sent.Swap(false) {
		c.trips.Add(1)
	}
	return c.Conn.Read(b)
}
