package rates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/redisstore"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// value is as long as a sealed lockout record.
var value = bytes.Repeat([]byte("x"), 300)

const (
	// crowd is how many clients work at once where several do.
	crowd = 16
	// listed is how many records a listing finds.
	listed = 100
	// least is which part of the raw engine's compare-and-swap rate a store for credentials has to reach.
	least = 0.5
)

// errOther is what a write by hand gives whose condition did not hold.
var errOther = errors.New("another version")

// byHand is the engine without the store: keys, versions that the engine or the statement makes, and the value.
type byHand struct {
	get    func(ctx context.Context, key string) error
	create func(ctx context.Context, key string) (version int64, err error)
	swap   func(ctx context.Context, key string, version int64) (next int64, err error)
	refuse func(ctx context.Context, key string) error // a write on a condition that does not hold; it gives errOther
	remove func(ctx context.Context, key string, version int64) error
	// list reads what begins with a prefix; nil where the engine cannot without looking at everything.
	list func(ctx context.Context, prefix string) (n int, err error)
}

// made is a record that was created.
type made struct {
	key     string
	version int64
}

// A stock holds what each client created and did not delete yet.
type stock [crowd][]made

func (s *stock) put(client int, m made) { s[client] = append(s[client], m) }

func (s *stock) take(client int) (made, error) {
	n := len(s[client])
	if n == 0 {
		return made{}, errNoMore
	}
	m := s[client][n-1]
	s[client] = s[client][:n-1]
	return m, nil
}

// operations returns what is compared: reads, swaps on a key of each client's own, swaps that are refused, listings of a
// hundred records, creates, and deletes of what was created.
func operations(t *testing.T, s store.Lister, raw byHand, swapAtLeast float64) []operation {
	t.Helper()
	var versions, rawVersions [crowd]int64
	key := func(client int) string { return fmt.Sprintf("swap/%d", client) }
	put := func(ctx context.Context, key string, version int64) (int64, error) {
		v, err := s.Put(ctx, key, store.Record{Value: value, Version: store.Version(version)})
		return int64(v), err
	}
	for c := range crowd {
		var err error
		versions[c], err = put(t.Context(), key(c), 0)
		require.NoError(t, err)
		rawVersions[c], err = raw.create(t.Context(), key(c))
		require.NoError(t, err)
	}
	for i := range listed {
		k := fmt.Sprintf("list/%03d", i)
		_, err := put(t.Context(), k, 0)
		require.NoError(t, err)
		_, err = raw.create(t.Context(), k)
		require.NoError(t, err)
	}
	var n atomic.Int64
	var stored, rawStored stock
	create := operation{
		name: "create",
		store: func(ctx context.Context, c int) error {
			k := fmt.Sprintf("create/%d", n.Add(1))
			v, err := put(ctx, k, 0)
			stored.put(c, made{k, v})
			return err
		},
		raw: func(ctx context.Context, c int) error {
			k := fmt.Sprintf("create/%d", n.Add(1))
			v, err := raw.create(ctx, k)
			rawStored.put(c, made{k, v})
			return err
		},
	}
	list := operation{
		name:  fmt.Sprint("list of ", listed),
		alone: true,
		store: func(ctx context.Context, _ int) error {
			n := 0
			for _, err := range s.List(ctx, "list/", "") {
				if err != nil {
					return err
				}
				n++
			}
			return found(n, nil)
		},
	}
	if raw.list != nil {
		list.raw = func(ctx context.Context, _ int) error { return found(raw.list(ctx, "list/")) }
	}
	return []operation{
		{
			name:  "get",
			store: func(ctx context.Context, c int) error { _, err := s.Get(ctx, key(c)); return err },
			raw:   func(ctx context.Context, c int) error { return raw.get(ctx, key(c)) },
		},
		{
			name:    "swap",
			atLeast: swapAtLeast,
			store: func(ctx context.Context, c int) (err error) {
				versions[c], err = put(ctx, key(c), versions[c])
				return err
			},
			raw: func(ctx context.Context, c int) (err error) {
				rawVersions[c], err = raw.swap(ctx, key(c), rawVersions[c])
				return err
			},
		},
		{
			name: "refused swap",
			store: func(ctx context.Context, c int) error {
				_, err := put(ctx, key(c), versions[c]+1)
				return refused(err, store.ErrConflict)
			},
			raw: func(ctx context.Context, c int) error { return refused(raw.refuse(ctx, key(c)), errOther) },
		},
		list,
		create,
		{
			name:  "delete",
			first: &create,
			store: func(ctx context.Context, c int) error {
				m, err := stored.take(c)
				if err != nil {
					return err
				}
				return s.Delete(ctx, m.key, store.Version(m.version))
			},
			raw: func(ctx context.Context, c int) error {
				m, err := rawStored.take(c)
				if err != nil {
					return err
				}
				return raw.remove(ctx, m.key, m.version)
			},
		},
	}
}

// refused turns the refusal that is wanted into success, and everything else into an error.
func refused(err, want error) error {
	if errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("not refused: %w", err)
}

// found is an error unless a listing found all.
func found(n int, err error) error {
	if err == nil && n != listed {
		err = fmt.Errorf("%d records listed", n)
	}
	return err
}

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
