package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
	"github.com/civicpin/civicpin/store/storetest"
)

// openFile returns a pool of one connection to a file, with the settings that a caller with a driver of its own would make.
func openFile(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	const settings = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", "file:"+path+"?"+settings)
	require.NoError(tb, err)
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// openMemory returns an empty database.
func openMemory(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(tb, err)
	db.SetMaxOpenConns(1) // each connection would have a database of its own
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

func newStore(tb testing.TB, db *sql.DB, d sqlstore.Dialect, opts *sqlstore.Options) *sqlstore.Store {
	tb.Helper()
	s, err := sqlstore.New(tb.Context(), db, d, opts)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// The conformance suite over one connection that reads and writes, so that whoever holds it while asking for another hangs.
// Package store/sqlite runs the suite over its two pools.
func TestStore(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T, dir string) store.Store {
		return newStore(t, openFile(t, filepath.Join(dir, "x.db")), sqlstore.SQLite, &sqlstore.Options{Table: "order"})
	})
}

func TestNewRefuses(t *testing.T) {
	db := openMemory(t)
	for name, c := range map[string]struct {
		db   *sql.DB
		d    sqlstore.Dialect
		opts *sqlstore.Options
		want string
	}{
		"no database":     {nil, sqlstore.SQLite, nil, "no database"},
		"no dialect":      {db, 0, nil, "unknown dialect"},
		"another dialect": {db, 3, nil, "unknown dialect"},
		"a bad table":     {db, sqlstore.SQLite, &sqlstore.Options{Table: `x"; DROP TABLE y; --`}, "table name"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlstore.New(t.Context(), c.db, c.d, c.opts)
			require.ErrorContains(t, err, c.want)
			require.Nil(t, s)
		})
	}
}

// Whatever the driver says is no answer: it comes back as it is, and never as "not found" or "conflict".
func TestErrorsOfTheDriver(t *testing.T) {
	broken := errors.New("connection lost")
	for _, d := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL} {
		for name, c := range map[string]struct {
			verb  string
			reply reply
			want  string
		}{
			"get fails":            {"SELECT version, expires", reply{err: broken}, "sqlstore: get: connection lost"},
			"list fails":           {"SELECT key", reply{err: broken}, "sqlstore: list: connection lost"},
			"insert fails":         {"INSERT", reply{err: broken}, "sqlstore: put: connection lost"},
			"update fails":         {"UPDATE", reply{err: broken}, "sqlstore: put: connection lost"},
			"delete fails":         {"DELETE", reply{err: broken}, "sqlstore: delete: connection lost"},
			"insert has no count":  {"INSERT", reply{noCount: broken}, "sqlstore: put: connection lost"},
			"update has no count":  {"UPDATE", reply{noCount: broken}, "sqlstore: put: connection lost"},
			"delete touches two":   {"DELETE", reply{affected: 2}, "sqlstore: delete: 2 rows touched instead of one"},
			"a version of zero":    {"SELECT version, expires", row(int64(0), nil, []byte("x")), "not positive"},
			"a negative version":   {"SELECT version, expires", row(int64(-1), nil, []byte("x")), "not positive"},
			"a key that is none":   {"SELECT key", row([]byte("ä"), int64(1), nil, []byte("x")), "stored key: store: invalid key"},
			"a listed bad version": {"SELECT key", row([]byte("a"), int64(0), nil, []byte("x")), "not positive"},
		} {
			t.Run(name, func(t *testing.T) {
				f := &fake{answer: standard}
				s := newStore(t, f.open(t), d, nil)
				f.answer = func(query string, args []driver.Value) reply {
					if strings.HasPrefix(query, c.verb) {
						return c.reply
					}
					return standard(query, args)
				}
				err := callOf(t.Context(), s, c.verb)
				require.ErrorContains(t, err, c.want)
				require.NotErrorIs(t, err, store.ErrConflict)
				require.NotErrorIs(t, err, store.ErrNotFound)
				if strings.Contains(c.want, "lost") {
					require.ErrorIs(t, err, broken)
				}
			})
		}
	}
}

func row(values ...driver.Value) reply {
	return reply{rows: [][]driver.Value{values}, columns: len(values)}
}

// callOf calls the method that runs a statement beginning so, and returns its error.
func callOf(ctx context.Context, s *sqlstore.Store, verb string) error {
	var err error
	switch verb {
	case "INSERT":
		_, err = s.Put(ctx, "k", store.Record{Value: []byte("v")})
	case "UPDATE":
		_, err = s.Put(ctx, "k", store.Record{Value: []byte("v"), Version: 7})
	case "DELETE":
		err = s.Delete(ctx, "k", 7)
	case "SELECT key":
		for _, err = range s.List(ctx, "", "") {
			if err != nil {
				return err
			}
		}
	default:
		_, err = s.Get(ctx, "k")
	}
	return err
}

// Each method is one statement, with nothing around it.
func TestOneStatementEach(t *testing.T) {
	for _, d := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL} {
		f := &fake{answer: standard}
		s := newStore(t, f.open(t), d, nil)
		f.since()
		for verb, want := range map[string]string{
			"INSERT": `INSERT INTO "civicpin_records" (key, version, expires, value) VALUES ($1, $2, $3, $4)` +
				` ON CONFLICT (key) DO NOTHING`,
			"UPDATE": `UPDATE "civicpin_records" SET version = $2, expires = $3, value = $4 WHERE key = $1 AND version = $5`,
			"DELETE": `DELETE FROM "civicpin_records" WHERE key = $1 AND version = $2`,
			"SELECT": `SELECT version, expires, value FROM "civicpin_records" WHERE key = $1`,
			"SELECT key": `SELECT key, version, expires, value FROM "civicpin_records" WHERE key >= $1 AND key < $2` +
				` ORDER BY key LIMIT $3`,
		} {
			if d == sqlstore.SQLite {
				want = strings.ReplaceAll(want, "$", "?")
			}
			_ = callOf(t.Context(), s, verb)
			require.Equal(t, []string{want}, f.since())
		}
	}
}

// A write that touched no row is a conflict, and one that touched a row is done.
func TestRowCountDecides(t *testing.T) {
	f := &fake{answer: standard}
	s := newStore(t, f.open(t), sqlstore.PostgreSQL, nil)
	for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
		f.answer = standard
		require.NoError(t, callOf(t.Context(), s, verb))
		f.answer = func(string, []driver.Value) reply { return reply{} }
		require.ErrorIs(t, callOf(t.Context(), s, verb), store.ErrConflict)
	}
}

// Values go to the driver as bytes that are not nil, for NULL is not an empty value, and come back so.
func TestEmptyValues(t *testing.T) {
	f := &fake{answer: standard}
	s := newStore(t, f.open(t), sqlstore.PostgreSQL, nil)
	var got driver.Value
	f.answer = func(query string, args []driver.Value) reply {
		if strings.HasPrefix(query, "SELECT") {
			return row(int64(1), nil, nil)
		}
		got = args[3]
		return reply{affected: 1}
	}
	_, err := s.Put(t.Context(), "k", store.Record{})
	require.NoError(t, err)
	require.Equal(t, driver.Value([]byte{}), got)
	r, err := s.Get(t.Context(), "k")
	require.NoError(t, err)
	require.NotNil(t, r.Value)
}

func TestBusy(t *testing.T) {
	locked := errors.New("locked")
	busy := func(err error) bool { return errors.Is(err, locked) }
	for _, verb := range []string{"SELECT", "SELECT key", "INSERT", "UPDATE", "DELETE"} {
		t.Run(verb, func(t *testing.T) {
			f := &fake{answer: standard}
			s := newStore(t, f.open(t), sqlstore.SQLite, &sqlstore.Options{Busy: busy})
			left := 3
			f.answer = func(query string, args []driver.Value) reply {
				if left > 0 {
					left--
					return reply{err: locked}
				}
				return standard(query, args)
			}
			f.since()
			err := callOf(t.Context(), s, verb)
			require.True(t, err == nil || errors.Is(err, store.ErrNotFound), "%v", err)
			require.Len(t, f.since(), 4)

			f.answer = func(string, []driver.Value) reply { return reply{err: locked} }
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err = callOf(ctx, s, verb)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, store.ErrConflict)

			other := errors.New("other")
			f.answer = func(string, []driver.Value) reply { return reply{err: other} }
			f.since()
			require.ErrorIs(t, callOf(t.Context(), s, verb), other)
			require.Len(t, f.since(), 1, "an error that is not busy is not tried again")
		})
	}
	t.Run("no longer than 10 seconds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{answer: standard}
			db := sql.OpenDB(f)
			defer func() { require.NoError(t, db.Close()) }()
			s := newStore(t, db, sqlstore.SQLite, &sqlstore.Options{Busy: busy})
			f.answer = func(string, []driver.Value) reply { return reply{err: locked} }
			start := time.Now()
			require.ErrorIs(t, callOf(t.Context(), s, "UPDATE"), locked)
			require.InDelta(t, 10, time.Since(start).Seconds(), 0.1)
		})
	})
	t.Run("New", func(t *testing.T) {
		left := 2
		f := &fake{answer: func(query string, args []driver.Value) reply {
			if left > 0 {
				left--
				return reply{err: locked}
			}
			return standard(query, args)
		}}
		newStore(t, f.open(t), sqlstore.SQLite, &sqlstore.Options{Busy: busy})
	})
	t.Run("without it nothing is tried again", func(t *testing.T) {
		f := &fake{answer: standard}
		s := newStore(t, f.open(t), sqlstore.SQLite, nil)
		f.answer = func(string, []driver.Value) reply { return reply{err: locked} }
		f.since()
		require.ErrorIs(t, callOf(t.Context(), s, "INSERT"), locked)
		require.Len(t, f.since(), 1)
	})
}

// Reads go to the pool of readers and writes to the other.
func TestReaders(t *testing.T) {
	writer, reader := &fake{answer: standard}, &fake{answer: standard}
	s := newStore(t, writer.open(t), sqlstore.SQLite, &sqlstore.Options{Readers: reader.open(t)})
	require.Empty(t, reader.since(), "the schema is the writer's")
	writer.since()
	for _, verb := range []string{"SELECT", "SELECT key"} {
		_ = callOf(t.Context(), s, verb)
		require.Len(t, reader.since(), 1)
		require.Empty(t, writer.since())
	}
	for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
		_ = callOf(t.Context(), s, verb)
		require.Len(t, writer.since(), 1)
		require.Empty(t, reader.since())
	}
}

func TestCloseLeavesTheDatabase(t *testing.T) {
	db := openMemory(t)
	s := newStore(t, db, sqlstore.SQLite, nil)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "again")
	_, err := s.Get(t.Context(), "k")
	require.ErrorContains(t, err, "closed")
	require.NoError(t, db.Ping())
}

// An expiry that cannot be stored is refused before anything is written.
func TestExpiryOutOfRange(t *testing.T) {
	s := newStore(t, openMemory(t), sqlstore.SQLite, nil)
	_, err := s.Put(t.Context(), "k", store.Record{ExpiresAt: time.Unix(1<<62, 0)})
	require.ErrorContains(t, err, "out of range")
	_, err = s.Get(t.Context(), "k")
	require.ErrorIs(t, err, store.ErrNotFound)
}
