package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/civicpin/civicpin/internal/names"
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

const (
	// maxTable keeps the longest of the names made of it within PostgreSQL's 63 bytes; beyond those it would cut them off,
	// and two tables might become one.
	maxTable = 48
	// maxSchema is PostgreSQL's own limit.
	maxSchema = 63
)

// ErrNewerSchema says that the tables were made, or brought up to date, by a newer release. Nothing was changed.
var ErrNewerSchema = errors.New("sqlstore: the database has a newer schema than this program knows")

// Schema returns the SQL text that New would run in an empty database with the same options, for those who run migrations
// themselves; nil options mean the defaults. Running the text again changes nothing. It gives an error where [New] would:
// for an unknown dialect, and for the name of a table or schema that is unfit.
func Schema(d Dialect, opts *Options) (string, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	s, err := newStatements(d, o.Schema, o.Table)
	if err != nil {
		return "", err
	}
	create := s.create
	if s.createSchema != "" {
		create = append([]string{s.createSchema}, create...)
	}
	return strings.Join(create, ";\n\n") + ";\n", nil
}

// statements are all the SQL that a store runs.
type statements struct {
	records                                  string   // the table, quoted
	schemaTable                              string   // as exists wants it
	namespace                                string   // as namespaceExists wants it; empty if it is the caller's business
	createSchema                             string   // likewise
	create                                   []string // in this order: the version comes last, and says that the rest is there
	namespaceExists, exists, version         string
	get, insert, update, remove, list, purge string
}

func newStatements(d Dialect, namespace, table string) (*statements, error) {
	if table == "" {
		table = DefaultTable
	}
	if !validTable(table) {
		return nil, errors.New(`sqlstore: a table name is 1 to 48 of a-z 0-9 _, and begins with neither a digit nor "sqlite_"`)
	}
	if err := checkNamespace(d, namespace); err != nil {
		return nil, err
	}
	// A name that is also a keyword does no harm when it is quoted.
	records, schema := quote(table), quote(table+"_schema")
	s := &statements{}
	if namespace != "" {
		// Named so, the tables are found whatever the search path of a connection is.
		s.namespace = quote(namespace)
		s.createSchema = "CREATE SCHEMA IF NOT EXISTS " + s.namespace
		records, schema = s.namespace+"."+records, s.namespace+"."+schema
	}
	s.records = records

	var blob, integer, suffix string
	switch d {
	case SQLite:
		blob, integer, suffix = "BLOB", "INTEGER", " STRICT"
		s.schemaTable = table + "_schema"
		s.exists = "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = $1"
	case PostgreSQL:
		blob, integer = "bytea", "bigint"
		s.schemaTable = schema
		s.exists = "SELECT to_regclass($1) IS NOT NULL"
		s.namespaceExists = "SELECT to_regnamespace($1) IS NOT NULL"
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
		// Most records never expire, and cost this index nothing.
		"CREATE INDEX IF NOT EXISTS " + quote(table+"_expires") + " ON " + records + " (expires) WHERE expires IS NOT NULL",
		fmt.Sprintf("INSERT INTO %s (one, version) VALUES (1, %d) ON CONFLICT (one) DO NOTHING", schema, schemaVersion),
	}
	s.version = "SELECT version FROM " + schema + " WHERE one = 1"
	s.get = "SELECT version, expires, value FROM " + records + " WHERE key = $1"
	s.insert = "INSERT INTO " + records + " (key, version, expires, value) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING"
	s.update = "UPDATE " + records + " SET version = $2, expires = $3, value = $4 WHERE key = $1 AND version = $5"
	s.remove = "DELETE FROM " + records + " WHERE key = $1 AND version = $2"
	s.list = "SELECT key, version, expires, value FROM " + records + " WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3"
	s.purge = purgeStatement(d, records)
	if d == SQLite {
		// In SQLite $1 is a parameter called "1", numbered as it is met; only ?1 has the number 1.
		for _, q := range []*string{&s.exists, &s.get, &s.insert, &s.update, &s.remove, &s.list, &s.purge} {
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

// quote writes a name as SQL does.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// checkNamespace refuses what PostgreSQL would refuse or cut off, and what would be unreadable in a log.
func checkNamespace(d Dialect, name string) error {
	switch {
	case name == "":
		return nil
	case d == SQLite:
		return errors.New("sqlstore: SQLite has no schemas")
	case strings.HasPrefix(name, "pg_") || !names.Printable(name, maxSchema):
		return errors.New(`sqlstore: a schema's name is 1 to 63 printable bytes, not beginning with "pg_"`)
	}
	return nil
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
	_, _ = h.Write([]byte("civicpin/sqlstore/" + s.records))
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64())); err != nil {
		return err
	}
	create := s.create
	if s.namespace != "" {
		// To create a schema that is there already is refused to a user who may not create any, IF NOT EXISTS or not.
		var exists bool
		if err := tx.QueryRowContext(ctx, s.namespaceExists, s.namespace).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			create = append([]string{s.createSchema}, create...)
		}
	}
	for _, q := range create {
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
