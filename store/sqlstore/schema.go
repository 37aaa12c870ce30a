package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
)

// A Dialect is a database's way of writing SQL. The zero value is none, and refused.
type Dialect int

const (
	// SQLite is SQLite 3.37 or later.
	SQLite Dialect = iota + 1
	// PostgreSQL is PostgreSQL 15 or later.
	PostgreSQL
)

// DefaultTable is the name of the table of records unless the caller chooses another.
const DefaultTable = "civicpin_records"

// schemaVersion is the one that this package creates and understands.
const schemaVersion = 1

// maxTable keeps the longer of the two table names within PostgreSQL's 63 bytes; beyond those it would cut them off, and
// two tables might become one.
const maxTable = 48

// ErrNewerSchema says that the tables were made, or brought up to date, by a newer release. Nothing was changed.
var ErrNewerSchema = errors.New("sqlstore: the database has a newer schema than this program knows")

// Schema returns the SQL text that New would run in an empty database, for those who run migrations themselves. An empty
// table name means [DefaultTable]. Running the text again changes nothing. A name other than 1 to 48 of a-z, 0-9 and "_",
// not beginning with a digit or with "sqlite_", gives an error, as does an unknown dialect.
func Schema(d Dialect, table string) (string, error) {
	s, err := newStatements(d, table)
	if err != nil {
		return "", err
	}
	return strings.Join(s.create, ";\n\n") + ";\n", nil
}

// statements are all the SQL that a store runs.
type statements struct {
	table                             string
	schemaTable                       string   // as exists wants it
	create                            []string // in this order: the version comes last, and says that the rest is there
	exists, version                   string
	get, insert, update, remove, list string
}

func newStatements(d Dialect, table string) (*statements, error) {
	if table == "" {
		table = DefaultTable
	}
	if !validTable(table) {
		return nil, errors.New(`sqlstore: a table name is 1 to 48 of a-z 0-9 _, and begins with neither a digit nor "sqlite_"`)
	}
	// Both dialects quote names like this; quoted, a name that is also a keyword does no harm.
	records, schema := `"`+table+`"`, `"`+table+`_schema"`

	var blob, integer, suffix string
	s := &statements{table: table}
	switch d {
	case SQLite:
		blob, integer, suffix = "BLOB", "INTEGER", " STRICT"
		s.schemaTable = table + "_schema"
		s.exists = "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = $1"
	case PostgreSQL:
		blob, integer = "bytea", "bigint"
		s.schemaTable = schema
		s.exists = "SELECT to_regclass($1) IS NOT NULL"
	default:
		return nil, fmt.Errorf("sqlstore: unknown dialect %d", d)
	}

	// Keys are a binary type, not text: text would be compared by the database's collation, under which keys may come in
	// another order than their bytes' or, on some engines, "a" and "A" be one key.
	s.create = []string{
		"CREATE TABLE IF NOT EXISTS " + schema + " (\n" +
			"    one     " + integer + " NOT NULL PRIMARY KEY CHECK (one = 1),\n" +
			"    version " + integer + " NOT NULL\n)" + suffix,
		"CREATE TABLE IF NOT EXISTS " + records + " (\n" +
			"    key     " + blob + " NOT NULL PRIMARY KEY,\n" +
			"    version " + integer + " NOT NULL,\n" +
			"    expires " + integer + ",\n" +
			"    value   " + blob + " NOT NULL\n)" + suffix,
		fmt.Sprintf("INSERT INTO %s (one, version) VALUES (1, %d) ON CONFLICT (one) DO NOTHING", schema, schemaVersion),
	}
	s.version = "SELECT version FROM " + schema + " WHERE one = 1"
	s.get = "SELECT version, expires, value FROM " + records + " WHERE key = $1"
	s.insert = "INSERT INTO " + records + " (key, version, expires, value) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING"
	s.update = "UPDATE " + records + " SET version = $2, expires = $3, value = $4 WHERE key = $1 AND version = $5"
	s.remove = "DELETE FROM " + records + " WHERE key = $1 AND version = $2"
	s.list = "SELECT key, version, expires, value FROM " + records + " WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3"
	if d == SQLite {
		// In SQLite $1 is a parameter called "1", numbered as it is met; only ?1 has the number 1.
		for _, q := range []*string{&s.exists, &s.get, &s.insert, &s.update, &s.remove, &s.list} {
			*q = strings.ReplaceAll(*q, "$", "?")
		}
	}
	return s, nil
}

func validTable(name string) bool {
	if name == "" || len(name) > maxTable || name[0] >= '0' && name[0] <= '9' || strings.HasPrefix(name, "sqlite_") {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}

// migrate makes the tables be there at the version that this package knows.
func migrate(ctx context.Context, db *sql.DB, d Dialect, s *statements) error {
	version, err := readVersion(ctx, db, s)
	if err != nil || version == schemaVersion {
		return err
	}
	if d == SQLite {
		// Each statement is atomic, does nothing where its work is done, and the last one says that all was done: so any
		// number of processes may run them interleaved, and a process that dies halfway leaves what the next one finishes.
		for _, q := range s.create {
			if _, err := db.ExecContext(ctx, q); err != nil {
				return fmt.Errorf("sqlstore: create schema: %w", err)
			}
		}
	} else if err := createLocked(ctx, db, s); err != nil {
		return fmt.Errorf("sqlstore: create schema: %w", err)
	}
	// Again, in case that another process, a newer one, was first.
	if version, err = readVersion(ctx, db, s); err == nil && version != schemaVersion {
		err = errors.New("sqlstore: create schema: the schema version did not stay")
	}
	return err
}

// createLocked creates the tables in one transaction and under a lock of its own: PostgreSQL's IF NOT EXISTS does not hold
// between two sessions, and one of them would fail on a duplicate in the catalogue.
func createLocked(ctx context.Context, db *sql.DB, s *statements) error {
	// Read committed, whatever the default is, so that each statement sees what the lock's last holder committed.
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	h := fnv.New64a()
	_, _ = h.Write([]byte("civicpin/sqlstore/" + s.table))
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64())); err != nil {
		return err
	}
	for _, q := range s.create {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// readVersion returns the schema version of the database, or zero if the tables were never, or not wholly, created.
func readVersion(ctx context.Context, db *sql.DB, s *statements) (int64, error) {
	var exists bool
	if err := db.QueryRowContext(ctx, s.exists, s.schemaTable).Scan(&exists); err != nil {
		return 0, fmt.Errorf("sqlstore: look for schema: %w", err)
	}
	if !exists {
		return 0, nil
	}
	var version int64
	err := db.QueryRowContext(ctx, s.version).Scan(&version)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("sqlstore: read schema version: %w", err)
	case version > schemaVersion:
		return 0, fmt.Errorf("%w: %d, not %d", ErrNewerSchema, version, schemaVersion)
	case version < schemaVersion:
		return 0, fmt.Errorf("sqlstore: the database has schema version %d, which never was", version)
	}
	return version, nil
}
