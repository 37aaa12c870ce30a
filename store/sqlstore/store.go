package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin/store"
)

const (
	// busyFor is how long a statement that found the database busy is tried again.
	busyFor = 10 * time.Second
	// busyPause is how long it waits between two tries. SQLite itself has waited before it says so; this is for where it
	// says so at once.
	busyPause = time.Millisecond
)

// Options configure a [Store]; a nil *Options, and the zero value of each field, mean the defaults.
type Options struct {
	// Table is the name of the table of records: 1 to 48 of a-z, 0-9 and "_", not beginning with a digit or with
	// "sqlite_". Empty means [DefaultTable]. The table of the schema version has the same name with "_schema" behind it,
	// the index of expiries with "_expires".
	Table string
	// Schema is the PostgreSQL schema that the tables are in, and which New creates if it is not there: 1 to 63 bytes,
	// written exactly as the database has it. Empty means the first one of the connection's search path. SQLite has none:
	// an error.
	Schema string
	// Readers is where Get and List read, if not where Put and Delete write: for SQLite, where one connection writes and
	// many can read. It must see every committed write at once, so it is never a replica. Nil means the same.
	Readers *sql.DB
	// Busy reports whether an error of the driver means that a statement did nothing because of another's lock. Such a
	// statement is run again until the context is done, and for no longer than 10 seconds. Nil means none but PostgreSQL's
	// serialisation failures and deadlocks, which are run again in any case.
	Busy func(error) bool
}

// A Store is a [store.Store] and [store.Lister] in a table. It holds no record in memory, so any number of them, in any
// number of processes, may share a table. Make one with [New]; the zero Store is not usable.
type Store struct {
	busy                                     func(error) bool
	get, insert, update, remove, list, purge *sql.Stmt
	doubt                                    doubt
}

var _ store.Lister = (*Store)(nil)

// New returns a store in a table of db, which it creates if it is not there. It gives an error if db is nil, if the
// dialect is unknown or the name of the table or schema unfit, if the schema is newer than this package
// ([ErrNewerSchema]) or the table not one of this package's, or if the database cannot be reached. The database remains
// the caller's, to be closed after the store.
func New(ctx context.Context, db *sql.DB, d Dialect, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if db == nil {
		return nil, errors.New("sqlstore: New: no database")
	}
	if o.Readers == nil {
		o.Readers = db
	}
	q, err := newStatements(d, o.Schema, o.Table)
	if err != nil {
		return nil, err
	}
	s := &Store{busy: func(err error) bool { return mayRetry(err) || o.Busy != nil && o.Busy(err) }}
	if d == PostgreSQL {
		s.doubt.db = db
	}
	// Every step of this may be done twice, so all of it is run again when it met a lock.
	if err := s.retry(func() error { return migrate(ctx, db, d, q) }); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		stmt **sql.Stmt
		db   *sql.DB
		text string
	}{
		{&s.get, o.Readers, q.get},
		{&s.list, o.Readers, q.list},
		{&s.insert, db, q.insert},
		{&s.update, db, q.update},
		{&s.remove, db, q.remove},
		{&s.purge, db, q.purge},
	} {
		err := s.retry(func() (err error) {
			*p.stmt, err = p.db.PrepareContext(ctx, p.text)
			return err
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("sqlstore: prepare: %w", err), s.Close())
		}
	}
	return s, nil
}

// Close frees the prepared statements. It does not close the database. Later calls of other methods give errors.
func (s *Store) Close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{s.get, s.list, s.insert, s.update, s.remove, s.purge} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// Get implements [store.Store], and returns its errors.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Record{}, err
	}
	var row row
	err := s.retry(func() error {
		return s.get.QueryRowContext(ctx, encodeKey(key)).Scan(&row.version, &row.expires, &row.value)
	})
	missing := errors.Is(err, sql.ErrNoRows)
	if err == nil || missing {
		if settleErr := s.doubt.settle(ctx); settleErr != nil {
			return store.Record{}, fmt.Errorf("sqlstore: get: wait for what was read to be durable: %w", settleErr)
		}
	}
	if missing {
		return store.Record{}, store.ErrNotFound
	}
	if err != nil {
		return store.Record{}, fmt.Errorf("sqlstore: get: %w", err)
	}
	return row.record()
}

// Put implements [store.Store], and returns its errors.
func (s *Store) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if err := store.CheckKey(key); err != nil {
		return 0, err
	}
	expires, err := encodeExpires(r.ExpiresAt)
	if err != nil {
		return 0, err
	}
	version := newVersion()
	// A nil slice would be stored as NULL.
	value := append([]byte{}, r.Value...)
	if r.Version == 0 {
		err = s.write(ctx, s.insert, encodeKey(key), version, expires, value)
	} else {
		// A version beyond 2^63-1 becomes negative here, which no row's is.
		err = s.write(ctx, s.update, encodeKey(key), version, expires, value, int64(r.Version))
	}
	if err = s.outcome(ctx, "put", err); err != nil {
		return 0, err
	}
	return store.Version(version), nil
}

// Delete implements [store.Store], and returns its errors.
func (s *Store) Delete(ctx context.Context, key string, v store.Version) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	return s.outcome(ctx, "delete", s.write(ctx, s.remove, encodeKey(key), int64(v)))
}

// write runs a statement that touches one row, or none if its condition did not hold.
func (s *Store) write(ctx context.Context, stmt *sql.Stmt, args ...any) error {
	return s.retry(func() error {
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		switch {
		case err != nil:
			return err
		case n == 0:
			return store.ErrConflict
		case n != 1:
			return fmt.Errorf("%d rows touched instead of one", n)
		}
		return nil
	})
}

// outcome says where an error of a write came from, and remembers it if it is unknown whether the write was done.
func (s *Store) outcome(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
	case errors.Is(err, store.ErrConflict):
		// It tells that another write was done, as a read would.
		if settleErr := s.doubt.settle(ctx); settleErr != nil {
			return fmt.Errorf("sqlstore: %s: %w: wait for the conflict to be durable: %w", what, ErrNotDone, settleErr)
		}
	default:
		if err = wrap(what, err); !errors.Is(err, ErrNotDone) {
			s.doubt.raise()
		}
	}
	return err
}

// retry runs f again while it meets locks. It leaves the context to database/sql, which looks at it before each statement.
func (s *Store) retry(f func() error) error {
	for start := time.Now(); ; time.Sleep(busyPause) {
		err := f()
		if err == nil || !s.busy(err) || time.Since(start) > busyFor {
			return err
		}
	}
}

// row is a record as the driver returns it.
type row struct {
	version int64
	expires sql.NullInt64
	value   []byte // database/sql copied it
}

func (r row) record() (store.Record, error) {
	v, err := decodeVersion(r.version)
	if err != nil {
		return store.Record{}, err
	}
	if r.value == nil {
		r.value = []byte{} // some drivers return an empty value so; the column holds no NULL
	}
	return store.Record{Value: r.value, Version: v, ExpiresAt: decodeExpires(r.expires)}, nil
}
