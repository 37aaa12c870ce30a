// Package kit holds what the tests of this module share.
package kit

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/civicpin/civicpin/store/sqlstore"
)

// FullVariable, set to 1, asks for all rounds of every test instead of a few.
const FullVariable = "CIVICPIN_FULL"

// Full reports whether the full form was asked for.
func Full() bool { return os.Getenv(FullVariable) == "1" }

// Pick returns the value for the form of this run.
func Pick[T any](short, full T) T {
	if Full() {
		return full
	}
	return short
}

// A Postgres is a store in a database, with the pool that it works through. Closing it closes both.
type Postgres struct {
	*sqlstore.Store
	DB *sql.DB
}

// Close closes the store and the pool.
func (p *Postgres) Close() error { return errors.Join(p.Store.Close(), p.DB.Close()) }

// OpenPostgres opens a store by way of pgx, with at most that many connections.
func OpenPostgres(ctx context.Context, dsn string, connections int, opts *sqlstore.Options) (*Postgres, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	s, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, opts)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Postgres{Store: s, DB: db}, nil
}

// MustOpenPostgres is OpenPostgres in a test, which closes it.
func MustOpenPostgres(tb testing.TB, dsn string, connections int, opts *sqlstore.Options) *Postgres {
	tb.Helper()
	p, err := OpenPostgres(tb.Context(), dsn, connections, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.Close() }) // perhaps of a server that is dead by then
	return p
}
