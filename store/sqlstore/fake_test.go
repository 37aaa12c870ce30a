package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"strings"
	"sync"
	"testing"
)

// fake is a database that answers as a test says, and remembers what it was asked.
type fake struct {
	mu     sync.Mutex
	log    []string
	answer func(query string, args []driver.Value) reply
}

// reply is what the database says to one statement.
type reply struct {
	err      error
	affected int64
	noCount  error // instead of affected
	rows     [][]driver.Value
	columns  int
}

// standard answers as a database that has the tables.
func standard(query string, _ []driver.Value) reply {
	switch {
	case strings.Contains(query, "to_regclass"):
		return reply{rows: [][]driver.Value{{true}}, columns: 1}
	case strings.Contains(query, "sqlite_master"):
		return reply{rows: [][]driver.Value{{int64(1)}}, columns: 1}
	case strings.HasPrefix(query, "SELECT version FROM"):
		return reply{rows: [][]driver.Value{{int64(1)}}, columns: 1}
	case strings.HasPrefix(query, "SELECT key"):
		return reply{columns: 4}
	case strings.HasPrefix(query, "SELECT"):
		return reply{columns: 3}
	}
	return reply{affected: 1}
}

func (f *fake) open(tb testing.TB) *sql.DB {
	db := sql.OpenDB(f)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// since returns what was asked since the last call.
func (f *fake) since() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.log
	f.log = nil
	return log
}

func (f *fake) ask(query string, args []driver.Value) reply {
	f.mu.Lock()
	f.log = append(f.log, query)
	f.mu.Unlock()
	return f.answer(query, args)
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return fakeConn{f}, nil }
func (f *fake) Driver() driver.Driver                        { return nil }

type fakeConn struct{ f *fake }

func (c fakeConn) Prepare(query string) (driver.Stmt, error) { return fakeStmt{c.f, query}, nil }
func (c fakeConn) Close() error                              { return nil }
func (c fakeConn) Begin() (driver.Tx, error)                 { panic("use BeginTx") }

func (c fakeConn) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	return fakeTx(c), c.f.ask("BEGIN "+sql.IsolationLevel(o.Isolation).String(), nil).err
}

type fakeTx fakeConn

func (t fakeTx) Commit() error   { return t.f.ask("COMMIT", nil).err }
func (t fakeTx) Rollback() error { return t.f.ask("ROLLBACK", nil).err }

type fakeStmt struct {
	f     *fake
	query string
}

func (s fakeStmt) Close() error  { return nil }
func (s fakeStmt) NumInput() int { return -1 }

func (s fakeStmt) Exec(args []driver.Value) (driver.Result, error) {
	r := s.f.ask(s.query, args)
	if r.err != nil {
		return nil, r.err
	}
	return fakeResult(r), nil
}

func (s fakeStmt) Query(args []driver.Value) (driver.Rows, error) {
	r := s.f.ask(s.query, args)
	if r.err != nil {
		return nil, r.err
	}
	return &fakeRows{r}, nil
}

type fakeResult reply

func (r fakeResult) LastInsertId() (int64, error) { panic("not asked for") }
func (r fakeResult) RowsAffected() (int64, error) { return r.affected, r.noCount }

type fakeRows struct{ r reply }

func (r *fakeRows) Columns() []string { return make([]string, r.r.columns) }
func (r *fakeRows) Close() error      { return nil }

func (r *fakeRows) Next(dest []driver.Value) error {
	if len(r.r.rows) == 0 {
		return io.EOF
	}
	copy(dest, r.r.rows[0])
	r.r.rows = r.r.rows[1:]
	return nil
}
