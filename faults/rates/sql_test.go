package rates_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
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
