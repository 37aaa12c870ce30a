package rates_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store/natsstore"
)

// statements are what both dialects understand.
const (
	sqlGet    = "SELECT version, value FROM raw WHERE key = $1"
	sqlCreate = "INSERT INTO raw VALUES ($1, 1, $2) ON CONFLICT DO NOTHING"
	sqlSwap   = "UPDATE raw SET version = $3, value = $4 WHERE key = $1 AND version = $2"
	sqlRemove = "DELETE FROM raw WHERE key = $1 AND version = $2"
	sqlList   = "SELECT key, version, value FROM raw WHERE key >= $1 AND key < $2 ORDER BY key LIMIT 128"
)

// scanner is one row, or rows, of either interface.
type scanner interface{ Scan(dest ...any) error }

// bySQL returns what is written by hand for a database, given how it executes and queries.
func bySQL(exec func(ctx context.Context, q string, args ...any) (rows int64, err error),
	row func(ctx context.Context, q string, args ...any) scanner,
	list func(ctx context.Context, q string, each func(scanner) error, args ...any) error,
) byHand {
	changed := func(rows int64, err error) error {
		if err == nil && rows != 1 {
			err = errOther
		}
		return err
	}
	swap := func(ctx context.Context, key string, version int64) (int64, error) {
		return version + 1, changed(exec(ctx, sqlSwap, []byte(key), version, version+1, value))
	}
	return byHand{
		get: func(ctx context.Context, key string) error {
			var version int64
			var value []byte
			return row(ctx, sqlGet, []byte(key)).Scan(&version, &value)
		},
		create: func(ctx context.Context, key string) (int64, error) {
			return 1, changed(exec(ctx, sqlCreate, []byte(key), value))
		},
		swap: swap,
		refuse: func(ctx context.Context, key string) error {
			_, err := swap(ctx, key, -1)
			return err
		},
		remove: func(ctx context.Context, key string, version int64) error {
			return changed(exec(ctx, sqlRemove, []byte(key), version))
		},
		list: func(ctx context.Context, prefix string) (n int, err error) {
			err = list(ctx, sqlList, func(s scanner) error {
				var key, value []byte
				var version int64
				n++
				return s.Scan(&key, &version, &value)
			}, []byte(prefix), append([]byte(prefix), 0xff))
			return n, err
		},
	}
}

// rawPostgres uses the driver's own interface, which is its fastest; it prepares each statement once.
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
	return bySQL(func(ctx context.Context, q string, args ...any) (int64, error) {
		tag, err := pool.Exec(ctx, q, args...)
		return tag.RowsAffected(), err
	}, func(ctx context.Context, q string, args ...any) scanner {
		return pool.QueryRow(ctx, q, args...)
	}, func(ctx context.Context, q string, each func(scanner) error, args ...any) error {
		rows, err := pool.Query(ctx, q, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// rawSQLite uses one connection that writes and as many that read as help, with the settings of durable writes, and statements
// that are prepared once.
func rawSQLite(t *testing.T) byHand {
	t.Helper()
	path := filepath.Join(t.TempDir(), "raw.db")
	open := func(connections int) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+path+
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		return db
	}
	writer := open(1)
	_, err := writer.ExecContext(t.Context(), "CREATE TABLE raw (key BLOB PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) STRICT")
	require.NoError(t, err)
	reader := open(max(4, runtime.NumCPU()))
	prepared := make(map[string]*sql.Stmt)
	for db, queries := range map[*sql.DB][]string{writer: {sqlCreate, sqlSwap, sqlRemove}, reader: {sqlGet, sqlList}} {
		for _, q := range queries {
			prepared[q], err = db.PrepareContext(t.Context(), q)
			require.NoError(t, err)
		}
	}
	return bySQL(func(ctx context.Context, q string, args ...any) (int64, error) {
		result, err := prepared[q].ExecContext(ctx, args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}, func(ctx context.Context, q string, args ...any) scanner {
		return prepared[q].QueryRowContext(ctx, args...)
	}, func(ctx context.Context, q string, each func(scanner) error, args ...any) error {
		rows, err := prepared[q].QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

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

// rawRedis uses the plain command that comes nearest. Redis has none that compares versions, so its swap just writes; and what
// is refused is the creation of what is there. It lists by looking at every key, as the store does.
func rawRedis(t *testing.T, c *redis.Client) byHand {
	t.Helper()
	name := func(key string) string { return "raw:" + key }
	create := func(ctx context.Context, key string) (int64, error) {
		err := c.SetArgs(ctx, name(key), value, redis.SetArgs{Mode: "NX"}).Err()
		if err == redis.Nil {
			err = errOther
		}
		return 1, err
	}
	return byHand{
		get:    func(ctx context.Context, key string) error { return c.Get(ctx, name(key)).Err() },
		create: create,
		swap: func(ctx context.Context, key string, version int64) (int64, error) {
			return version + 1, c.Set(ctx, name(key), value, 0).Err()
		},
		refuse: func(ctx context.Context, key string) error {
			_, err := create(ctx, key)
			return err
		},
		remove: func(ctx context.Context, key string, _ int64) error { return c.Del(ctx, name(key)).Err() },
	}
}
