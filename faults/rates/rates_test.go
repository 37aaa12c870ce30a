package rates_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// value is as long as a sealed lockout record.
var value = bytes.Repeat([]byte("x"), 300)

// crowd is how many clients work at once where several do.
const crowd = 16

// byHand is the engine without the store: a table of keys, versions and values.
type byHand struct {
	get    func(ctx context.Context, key []byte) error
	insert func(ctx context.Context, key []byte, version int64) (rows int64, err error)
	swap   func(ctx context.Context, key []byte, version, next int64) (rows int64, err error)
	remove func(ctx context.Context, key []byte, version int64) (rows int64, err error)
}

// wants turns a count of rows into an error if it is not the one that is wanted.
func wants(n int64, rows int64, err error) error {
	if err == nil && rows != n {
		err = fmt.Errorf("%d rows touched", rows)
	}
	return err
}

// operations returns what is compared: reads, creates, swaps on a key of each client's own, swaps that are refused, and
// deletes of what was created before.
func operations(t *testing.T, s store.Store, raw byHand) []operation {
	t.Helper()
	var created, createdRaw [crowd][]string
	var versions [crowd]store.Version
	var rawVersions [crowd]int64
	var deletable [crowd]map[string]store.Version
	key := func(client int) string { return fmt.Sprintf("swap/%d", client) }
	rawKey := func(client int) []byte { return []byte(key(client)) }
	for c := range crowd {
		var err error
		versions[c], err = s.Put(t.Context(), key(c), store.Record{Value: value})
		require.NoError(t, err)
		rawVersions[c] = 1
		rows, err := raw.insert(t.Context(), rawKey(c), 1)
		require.NoError(t, wants(1, rows, err))
		deletable[c] = make(map[string]store.Version)
	}
	var n atomic.Int64
	return []operation{
		{
			"get",
			func(ctx context.Context, c int) error { _, err := s.Get(ctx, key(c)); return err },
			func(ctx context.Context, c int) error { return raw.get(ctx, rawKey(c)) },
		},
		{
			"create",
			func(ctx context.Context, c int) error {
				k := fmt.Sprintf("create/%d", n.Add(1))
				v, err := s.Put(ctx, k, store.Record{Value: value})
				created[c] = append(created[c], k)
				deletable[c][k] = v
				return err
			},
			func(ctx context.Context, c int) error {
				k := fmt.Sprintf("create/%d", n.Add(1))
				rows, err := raw.insert(ctx, []byte(k), 1)
				createdRaw[c] = append(createdRaw[c], k)
				return wants(1, rows, err)
			},
		},
		{
			"swap",
			func(ctx context.Context, c int) (err error) {
				versions[c], err = s.Put(ctx, key(c), store.Record{Value: value, Version: versions[c]})
				return err
			},
			func(ctx context.Context, c int) error {
				rows, err := raw.swap(ctx, rawKey(c), rawVersions[c], rawVersions[c]+1)
				rawVersions[c]++
				return wants(1, rows, err)
			},
		},
		{
			"conflict",
			func(ctx context.Context, c int) error {
				_, err := s.Put(ctx, key(c), store.Record{Value: value, Version: versions[c] + 1})
				if errors.Is(err, store.ErrConflict) {
					return nil
				}
				return fmt.Errorf("no conflict: %w", err)
			},
			func(ctx context.Context, c int) error {
				rows, err := raw.swap(ctx, rawKey(c), -1, 1)
				return wants(0, rows, err)
			},
		},
		{
			"delete",
			func(ctx context.Context, c int) error {
				if len(created[c]) == 0 {
					return errNoMore
				}
				k := created[c][0]
				created[c] = created[c][1:]
				return s.Delete(ctx, k, deletable[c][k])
			},
			func(ctx context.Context, c int) error {
				if len(createdRaw[c]) == 0 {
					return errNoMore
				}
				k := createdRaw[c][0]
				createdRaw[c] = createdRaw[c][1:]
				rows, err := raw.remove(ctx, []byte(k), 1)
				return wants(1, rows, err)
			},
		},
	}
}

var errNoMore = errors.New("nothing left to delete")

func TestRates(t *testing.T) {
	rounds, slice := kit.Pick(5, 11), kit.Pick(40*time.Millisecond, 400*time.Millisecond)
	all := func(t *testing.T, s store.Store, raw byHand, trips func() int64) {
		ops := operations(t, s, raw)
		t.Log(header)
		for _, clients := range []int{1, crowd} {
			for _, op := range ops {
				if op.name == "delete" {
					continue
				}
				ratio := compare(t, op, clients, rounds, slice, trips)
				for tries := 0; op.name == "swap" && ratio < 0.5; tries++ {
					require.Less(t, tries, 3, "less than half of the raw compare-and-swap rate, again and again")
					ratio = compare(t, op, clients, rounds, slice, trips)
				}
			}
		}
		// As many as were created, so less often and only once.
		compare(t, ops[len(ops)-1], 1, 1, slice/2, trips)
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		p := servers.PostgreSQL(t)
		var trips atomic.Int64
		config, err := pgx.ParseConfig(p.DSN())
		require.NoError(t, err)
		dial := config.DialFunc
		config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return &counted{Conn: conn, trips: &trips}, err
		}
		db := stdlib.OpenDB(*config)
		t.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(crowd)
		db.SetMaxIdleConns(crowd)
		s, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL, nil)
		require.NoError(t, err)
		all(t, s, rawPostgres(t, p.DSN()), trips.Load)
	})
	t.Run("SQLite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "pins.db"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		all(t, s, rawSQLite(t), func() int64 { return 0 })
	})
}

// counted counts how often its user begins to wait for an answer to what it sent.
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

// rawPostgres uses the driver's own interface, which is its fastest, with statements that are prepared once.
func rawPostgres(t *testing.T, dsn string) byHand {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	require.NoError(t, err)
	config.MaxConns = crowd
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = pool.Exec(t.Context(), "CREATE TABLE raw (key bytea PRIMARY KEY, version bigint NOT NULL, value bytea NOT NULL)")
	require.NoError(t, err)
	exec := func(ctx context.Context, q string, args ...any) (int64, error) {
		tag, err := pool.Exec(ctx, q, args...)
		return tag.RowsAffected(), err
	}
	return byHand{
		get: func(ctx context.Context, key []byte) error {
			var version int64
			var value []byte
			return pool.QueryRow(ctx, "SELECT version, value FROM raw WHERE key = $1", key).Scan(&version, &value)
		},
		insert: func(ctx context.Context, key []byte, version int64) (int64, error) {
			return exec(ctx, "INSERT INTO raw VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", key, version, value)
		},
		swap: func(ctx context.Context, key []byte, version, next int64) (int64, error) {
			return exec(ctx, "UPDATE raw SET version = $3, value = $4 WHERE key = $1 AND version = $2", key, version, next, value)
		},
		remove: func(ctx context.Context, key []byte, version int64) (int64, error) {
			return exec(ctx, "DELETE FROM raw WHERE key = $1 AND version = $2", key, version)
		},
	}
}

// rawSQLite uses one connection with the settings of durable writes, and statements that are prepared once.
func rawSQLite(t *testing.T) byHand {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "raw.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), "CREATE TABLE raw (key BLOB PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) STRICT")
	require.NoError(t, err)
	prepare := func(q string) *sql.Stmt {
		stmt, err := db.PrepareContext(t.Context(), q)
		require.NoError(t, err)
		return stmt
	}
	get := prepare("SELECT version, value FROM raw WHERE key = ?1")
	insert := prepare("INSERT INTO raw VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
	swap := prepare("UPDATE raw SET version = ?3, value = ?4 WHERE key = ?1 AND version = ?2")
	remove := prepare("DELETE FROM raw WHERE key = ?1 AND version = ?2")
	exec := func(ctx context.Context, stmt *sql.Stmt, args ...any) (int64, error) {
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	return byHand{
		get: func(ctx context.Context, key []byte) error {
			var version int64
			var value []byte
			return get.QueryRowContext(ctx, key).Scan(&version, &value)
		},
		insert: func(ctx context.Context, key []byte, version int64) (int64, error) {
			return exec(ctx, insert, key, version, value)
		},
		swap: func(ctx context.Context, key []byte, version, next int64) (int64, error) {
			return exec(ctx, swap, key, version, next, value)
		},
		remove: func(ctx context.Context, key []byte, version int64) (int64, error) {
			return exec(ctx, remove, key, version)
		},
	}
}
