package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// The schema is a promise to whoever has data in it: a change of this text is a change of the schema version.
func TestSchemaText(t *testing.T) {
	got, err := sqlstore.Schema(sqlstore.SQLite, nil)
	require.NoError(t, err)
	require.Equal(t, `CREATE TABLE IF NOT EXISTS "civicpin_records_schema" (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS "civicpin_records" (
    key     BLOB NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    expires INTEGER,
    value   BLOB NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS "civicpin_records_expires" ON "civicpin_records" (expires) WHERE expires IS NOT NULL;

INSERT INTO "civicpin_records_schema" (one, version) VALUES (1, 1) ON CONFLICT (one) DO NOTHING;
`, got)

	got, err = sqlstore.Schema(sqlstore.PostgreSQL, &sqlstore.Options{Table: "pins", Schema: `a "b"`})
	require.NoError(t, err)
	require.Equal(t, `CREATE SCHEMA IF NOT EXISTS "a ""b""";

CREATE TABLE IF NOT EXISTS "a ""b"""."pins_schema" (
    one     bigint NOT NULL PRIMARY KEY CHECK (one = 1),
    version bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS "a ""b"""."pins" (
    key     bytea NOT NULL PRIMARY KEY,
    version bigint NOT NULL,
    expires bigint,
    value   bytea NOT NULL
);

CREATE INDEX IF NOT EXISTS "pins_expires" ON "a ""b"""."pins" (expires) WHERE expires IS NOT NULL;

INSERT INTO "a ""b"""."pins_schema" (one, version) VALUES (1, 1) ON CONFLICT (one) DO NOTHING;
`, got)
}

func TestSchemaNames(t *testing.T) {
	for name, good := range map[string]bool{
		"":                      true, // the search path's
		"a":                     true,
		"Citizens' PINs":        true,
		`a".b`:                  true,
		"nóminas":               true,
		strings.Repeat("a", 63): true,
		strings.Repeat("a", 64): false,
		strings.Repeat("ñ", 32): false,
		"pg_catalog":            false,
		"a\x00":                 false,
		"a\nb":                  false,
		"a\u200bb":              false,
		"\xff":                  false,
	} {
		_, err := sqlstore.Schema(sqlstore.PostgreSQL, &sqlstore.Options{Schema: name})
		require.Equal(t, good, err == nil, "%q: %v", name, err)
		_, err = sqlstore.Schema(sqlstore.SQLite, &sqlstore.Options{Schema: name})
		require.Equal(t, name == "", err == nil, "%q on SQLite", name)
	}
}

func TestTableNames(t *testing.T) {
	for name, good := range map[string]bool{
		"":                         true, // the default
		"a":                        true,
		"_x9":                      true,
		"order":                    true,
		strings.Repeat("a", 48):    true,
		strings.Repeat("a", 49):    false,
		"9a":                       false,
		"A":                        false,
		"a b":                      false,
		"a-b":                      false,
		"a.b":                      false,
		`a"`:                       false,
		"a'":                       false,
		"a;":                       false,
		"ä":                        false,
		"a\x00":                    false,
		"sqlite_x":                 false,
		"civicpin_records\nx":      false,
		"civicpin_records; DELETE": false,
	} {
		for _, d := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL} {
			text, err := sqlstore.Schema(d, &sqlstore.Options{Table: name})
			if good {
				require.NoError(t, err, "%q", name)
				require.NotEmpty(t, text)
			} else {
				require.Error(t, err, "%q", name)
				require.Empty(t, text)
			}
		}
	}
	_, err := sqlstore.Schema(0, nil)
	require.ErrorContains(t, err, "dialect")
}

// Where somebody else ran the text, New needs no right to change the schema.
func TestSchemaRunByHand(t *testing.T) {
	text, err := sqlstore.Schema(sqlstore.SQLite, &sqlstore.Options{Table: "pins"})
	require.NoError(t, err)
	db := openMemory(t)
	for range 2 {
		_, err = db.Exec(text)
		require.NoError(t, err)
	}
	_, err = db.Exec("PRAGMA query_only=ON")
	require.NoError(t, err)
	newStore(t, db, sqlstore.SQLite, &sqlstore.Options{Table: "pins"})
	_, err = sqlstore.New(t.Context(), db, sqlstore.SQLite, nil)
	require.ErrorContains(t, err, "create schema", "another table is not there, and cannot be made")
}

func TestDefaultTable(t *testing.T) {
	db := openMemory(t)
	s := newStore(t, db, sqlstore.SQLite, &sqlstore.Options{})
	_, err := s.Put(t.Context(), "k", store.Record{Value: []byte("v")})
	require.NoError(t, err)
	var key, value []byte
	var version int64
	var expires sql.NullInt64
	row := db.QueryRow("SELECT key, version, expires, value FROM " + sqlstore.DefaultTable)
	require.NoError(t, row.Scan(&key, &version, &expires, &value))
	require.Equal(t, "k", string(key))
	require.Equal(t, "v", string(value))
	require.False(t, expires.Valid)
}

func TestTablesAreApart(t *testing.T) {
	db := openMemory(t)
	a := newStore(t, db, sqlstore.SQLite, &sqlstore.Options{Table: "a"})
	b := newStore(t, db, sqlstore.SQLite, &sqlstore.Options{Table: "b"})
	_, err := a.Put(t.Context(), "k", store.Record{})
	require.NoError(t, err)
	_, err = b.Get(t.Context(), "k")
	require.ErrorIs(t, err, store.ErrNotFound)
}

// tables returns the names of all tables and how many rows each has.
func tables(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'table'")
	require.NoError(t, err)
	found := make(map[string]int)
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		found[name] = 0
	}
	require.NoError(t, rows.Err())
	for name := range found {
		var n int
		require.NoError(t, db.QueryRow(`SELECT count(*) FROM "`+name+`"`).Scan(&n))
		found[name] = n
	}
	return found
}

func TestOtherSchemas(t *testing.T) {
	const (
		versions = "CREATE TABLE civicpin_records_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL); "
		version  = versions + "INSERT INTO civicpin_records_schema VALUES "
		records  = "CREATE TABLE civicpin_records (key BLOB PRIMARY KEY, version INTEGER, expires INTEGER, value BLOB)"
	)
	for name, c := range map[string]struct {
		sql   string
		want  string // "" for success
		newer bool
	}{
		"newer":                   {sql: version + "(1, 2)", want: "newer schema", newer: true},
		"much newer":              {sql: version + "(1, 9000000000)", want: "newer schema", newer: true},
		"never was":               {sql: version + "(1, 0)", want: "never was"},
		"died before the table":   {sql: versions},
		"died before the version": {sql: versions + records},
		"table lost":              {sql: version + "(1, 1)", want: "no such table"},
		"another's table":         {sql: "CREATE TABLE civicpin_records (id, name)", want: "no such column"},
		"another's version row":   {sql: "CREATE TABLE civicpin_records_schema (x)", want: "no such column"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openMemory(t)
			_, err := db.Exec(c.sql)
			require.NoError(t, err)
			before := tables(t, db)
			s, err := sqlstore.New(t.Context(), db, sqlstore.SQLite, nil)
			if c.want == "" {
				require.NoError(t, err)
				_, err = s.Put(t.Context(), "k", store.Record{})
				require.NoError(t, err)
				require.NoError(t, s.Close())
				return
			}
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.newer, errors.Is(err, sqlstore.ErrNewerSchema))
			require.Nil(t, s)
			if c.newer {
				require.Equal(t, before, tables(t, db), "nothing was changed")
			}
		})
	}
}

// Several connections that find nothing must all end with the same tables.
func TestCreatedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var wg sync.WaitGroup
	openFile(t, path) // WAL before the race: changing the journal mode is the opener's business
	require.NoError(t, openFile(t, path).Ping())
	for i := range 8 {
		db := openFile(t, path)
		wg.Go(func() {
			s, err := sqlstore.New(t.Context(), db, sqlstore.SQLite, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Put(t.Context(), fmt.Sprint(i), store.Record{}); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, map[string]int{"civicpin_records": 8, "civicpin_records_schema": 1}, tables(t, openFile(t, path)))
}

// On PostgreSQL the tables are made in one transaction, under a lock, at read committed; and not at all if they are there.
func TestPostgreSQLCreates(t *testing.T) {
	f := &fake{answer: standard}
	newStore(t, f.open(t), sqlstore.PostgreSQL, nil)
	require.Equal(t, []string{
		"SELECT to_regclass($1) IS NOT NULL",
		`SELECT version FROM "civicpin_records_schema" WHERE one = 1`,
	}, f.since())

	created := false
	var lock driver.Value
	f.answer = func(query string, args []driver.Value) reply {
		switch {
		case strings.Contains(query, "to_regclass"):
			require.Equal(t, driver.Value(`"pins_schema"`), args[0])
			return reply{rows: [][]driver.Value{{created}}, columns: 1}
		case strings.Contains(query, "advisory"):
			lock = args[0]
		case query == "COMMIT":
			created = true
		}
		return standard(query, args)
	}
	newStore(t, f.open(t), sqlstore.PostgreSQL, &sqlstore.Options{Table: "pins"})
	var verbs []string
	for _, q := range f.since() {
		first, _, _ := strings.Cut(q, ` "`)
		verbs = append(verbs, first)
	}
	require.Equal(t, []string{
		"SELECT to_regclass($1) IS NOT NULL",
		"BEGIN Read Committed", "SELECT pg_advisory_xact_lock($1)", "CREATE TABLE IF NOT EXISTS", "CREATE TABLE IF NOT EXISTS",
		"CREATE INDEX IF NOT EXISTS", "INSERT INTO", "COMMIT",
		"SELECT to_regclass($1) IS NOT NULL", "SELECT version FROM",
	}, verbs)
	first := lock
	created = false
	newStore(t, f.open(t), sqlstore.PostgreSQL, &sqlstore.Options{Table: "pins"})
	require.Equal(t, first, lock, "every process takes the same lock")

	created = false
	f.answer = func(query string, args []driver.Value) reply {
		if strings.Contains(query, "to_regclass") {
			return reply{rows: [][]driver.Value{{false}}, columns: 1}
		}
		if strings.Contains(query, `"pins" (`) {
			return reply{err: errors.New("permission denied")}
		}
		return standard(query, args)
	}
	f.since()
	_, err := sqlstore.New(t.Context(), f.open(t), sqlstore.PostgreSQL, &sqlstore.Options{Table: "pins"})
	require.ErrorContains(t, err, "permission denied")
	log := f.since()
	require.Equal(t, "ROLLBACK", log[len(log)-1])
}

func TestNewHeedsTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sqlstore.New(ctx, openMemory(t), sqlstore.SQLite, nil)
	require.ErrorIs(t, err, context.Canceled)
}
