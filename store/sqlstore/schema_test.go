package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

// FuzzKey checks that the encoding of keys can be undone, gives different keys different bytes, and keeps their order, for
// Go and for SQLite.
func FuzzKey(f *testing.F) {
	for _, s := range [][2]string{
		{"a", "A"},
		{"a", "a"},
		{"a", "a/"},
		{"a-b", "a_b"},
		{"k/1", "k/10"},
		{"", "a"},
		{"ä", "a\x00"},
		{"Z", "a"},
		{strings.Repeat("z", 200), strings.Repeat("z", 201)},
		{"1", "01"},
		{".", "-"},
	} {
		f.Add(s[0], s[1])
	}
	db := openMemory(f)
	compare, err := db.Prepare("SELECT ?1, (?1 > ?2) - (?1 < ?2)")
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, compare.Close()) })
	f.Fuzz(func(t *testing.T, a, b string) {
		encoded := sqlstore.EncodeKey(a)
		decoded, err := sqlstore.DecodeKey(encoded)
		if store.CheckKey(a) != nil {
			require.Error(t, err)
			require.NotErrorIs(t, err, store.ErrInvalidKey, "the caller asked with no such key")
			require.Empty(t, decoded)
			return
		}
		require.NoError(t, err)
		require.Equal(t, a, decoded)
		if store.CheckKey(b) != nil {
			return
		}
		want := strings.Compare(a, b)
		require.Equal(t, want, bytes.Compare(encoded, sqlstore.EncodeKey(b)))
		var back []byte
		var got int
		require.NoError(t, compare.QueryRow(encoded, sqlstore.EncodeKey(b)).Scan(&back, &got))
		require.Equal(t, encoded, back)
		require.Equal(t, want, got)
	})
}

// FuzzKeyRange checks that the bounds of a listing enclose the keys that it asks for and no others.
func FuzzKeyRange(f *testing.F) {
	for _, s := range [][3]string{
		{"a/b", "a/", ""},
		{"a/b", "a/", "a/b"},
		{"a/b", "", "a/a"},
		{"a0", "a/", ""},
		{"a/b", "a/c", "a/"},
		{"a", "\xff", ""},
		{"zzz", "z", "zz"},
		{"a/b", "a/", "z"},
		{"b", "a\xff\xff", "a"},
		{"a", "", "\xff"},
		{"zzz", "", ""},
		{"aa", "a", "a"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, key, prefix, after string) {
		if store.CheckKey(key) != nil {
			return
		}
		from, to := sqlstore.KeyRange(prefix, after)
		k := sqlstore.EncodeKey(key)
		require.Equal(t, strings.HasPrefix(key, prefix) && key > after, bytes.Compare(from, k) <= 0 && bytes.Compare(k, to) < 0)
	})
}

// FuzzExpires checks that an expiry comes back at the same time or at most a millisecond later, and stays an expiry.
func FuzzExpires(f *testing.F) {
	zero := time.Time{}
	for _, s := range []struct{ sec, nsec int64 }{
		{0, 0},
		{0, 1},
		{0, 999_999},
		{0, 1_000_000},
		{0, 999_999_999},
		{-1, 1},
		{-1, 999_999_999},
		{1_800_000_000, 123_456_789},
		{zero.Unix(), 0},
		{zero.Unix(), 1},
		{zero.Unix() - 1, 999_999_999},
		{math.MaxInt64, 0},
		{math.MinInt64, 0},
		{math.MaxInt64 / 1000, 0},
		{math.MaxInt64/1000 - 1, 999_999_999},
		{math.MinInt64 / 1000, 1},
		{253_402_300_800, 0},
	} {
		f.Add(s.sec, s.nsec)
	}
	f.Fuzz(func(t *testing.T, sec, nsec int64) {
		want := time.Unix(sec, nsec%1_000_000_000)
		encoded, err := sqlstore.EncodeExpires(want)
		if err != nil {
			require.True(t, want.Unix() > math.MaxInt64/1000-2 || want.Unix() < math.MinInt64/1000+2, "refused %v", want)
			return
		}
		require.Equal(t, want.IsZero(), !encoded.Valid)
		got := sqlstore.DecodeExpires(encoded)
		require.Equal(t, want.IsZero(), got.IsZero())
		require.False(t, got.Before(want), "%v came back as %v", want, got)
		require.Less(t, got.Sub(want), 2*time.Millisecond)
		require.Equal(t, time.UTC, got.Location())
	})
}

func TestExpiresColumn(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	for name, c := range map[string]struct {
		t    time.Time
		want sql.NullInt64
	}{
		"never":              {time.Time{}, sql.NullInt64{}},
		"a whole second":     {at, sql.NullInt64{Int64: 1772362800000, Valid: true}},
		"a nanosecond more":  {at.Add(1), sql.NullInt64{Int64: 1772362800001, Valid: true}},
		"a nanosecond less":  {at.Add(-1), sql.NullInt64{Int64: 1772362800000, Valid: true}},
		"a millisecond more": {at.Add(time.Millisecond), sql.NullInt64{Int64: 1772362800001, Valid: true}},
		"before 1970":        {time.Unix(-1, 1), sql.NullInt64{Int64: -999, Valid: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sqlstore.EncodeExpires(c.t)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestVersionsAreRandomAndPositive(t *testing.T) {
	seen := make(map[int64]bool)
	var set, unset int64
	for range 10_000 {
		v := sqlstore.NewVersion()
		require.Positive(t, v)
		require.False(t, seen[v])
		seen[v] = true
		set |= v
		unset |= ^v
	}
	require.Equal(t, int64(math.MaxInt64), set, "every bit but the sign is used")
	require.Equal(t, int64(math.MaxInt64), unset&math.MaxInt64)
}
