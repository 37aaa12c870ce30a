package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/civicpin/civicpin/store/sqlstore"
)

const (
	// busySlice is how long SQLite itself waits for a lock. It does not heed the context meanwhile, so it waits in slices;
	// between them sqlstore looks at the context, and gives up after 10 seconds.
	busySlice = 25 * time.Millisecond
	// openFor is how long Open waits for another process to let it set the journal mode.
	openFor = 10 * time.Second
	// minReaders is how many connections read at least.
	minReaders = 4
)

// pragmas are the settings of every connection.
var pragmas = []string{
	fmt.Sprintf("busy_timeout(%d)", busySlice.Milliseconds()),
	// A commit returns when the log is on the disk. With NORMAL, the default of some, it may be gone after a power cut.
	"synchronous(FULL)",
	// On macOS, fsync leaves data in the disk's cache; this is the call that does not.
	"fullfsync(ON)",
	// What a write frees is overwritten with zeros where that costs nothing: erased is erased.
	"secure_delete(FAST)",
	// A file that an attacker prepared must not make us run functions out of its schema.
	"trusted_schema(OFF)",
	// A damaged page is an error before it is taken for data.
	"cell_size_check(ON)",
}

// Open opens the SQLite file at path, and creates it if it is not there; its directory must be. Every character of path
// counts as itself: it is a file name, never a URI or ":memory:". It gives an error if path is empty, a directory or not a
// database, if it is on a file system that cannot do what SQLite needs, if the schema is newer than this package knows
// (sqlstore.ErrNewerSchema), or if the context is done before the file could be opened; it waits for locks of other
// processes, but no longer than 10 seconds for each. Close the store when it is no longer needed.
func Open(ctx context.Context, path string) (_ *Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("sqlite: open %q: %w", path, explain(err))
		}
	}()
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, errors.New("not a file name")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if err := create(ctx, path); err != nil {
		return nil, err
	}
	// From here on the file must exist: a connection that is opened later must not begin an empty one, if somebody took the
	// file away.
	//
	// A single statement that writes takes the write lock before it reads; _txlock makes a transaction do so, too.
	writer, err := connect(path, 1, url.Values{"mode": {"rw"}, "_txlock": {"immediate"}})
	if err != nil {
		return nil, err
	}
	reading := url.Values{"mode": {"rw"}, "_pragma": {"query_only(ON)"}}
	readers, err := connect(path, max(minReaders, runtime.GOMAXPROCS(0)), reading)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	records, err := sqlstore.New(ctx, writer, sqlstore.SQLite, &sqlstore.Options{Readers: readers, Busy: busy})
	if err != nil {
		return nil, errors.Join(err, readers.Close(), writer.Close())
	}
	return &Store{records: records, writer: writer, readers: readers, queue: make(chan struct{}, 1)}, nil
}

// create makes the file be there, private and with a write-ahead log.
func create(ctx context.Context, path string) (err error) {
	info, err := os.Stat(path)
	isNew := errors.Is(err, os.ErrNotExist)
	if err != nil && !isNew {
		return err
	}
	params := url.Values{"mode": {"rw"}}
	if isNew {
		if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the directory does not exist: %w", err)
		}
		// SQLite has to create the file, for if this process opened and closed it here, every lock that it already holds on
		// it would be gone. SQLite gives a new file the permissions of the one named by modeof, and os.CreateTemp's have
		// the right ones.
		model, err := os.CreateTemp(filepath.Dir(path), ".civicpin-")
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(model.Name()) }()
		if err := model.Close(); err != nil {
			return err
		}
		params = url.Values{"mode": {"rwc"}, "modeof": {model.Name()}}
	} else if info.IsDir() {
		return errors.New("it is a directory")
	} else if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	db, err := connect(path, 1, params)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var mode string
	// Unlike other statements, this one does not wait for a lock. database/sql looks at the context each time.
	for start := time.Now(); ; time.Sleep(busySlice) {
		err = db.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode)
		if err == nil {
			break
		}
		if !busy(err) || time.Since(start) > openFor {
			return err
		}
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %q, the file system allows no write-ahead log", mode)
	}
	if isNew {
		return syncDir(filepath.Dir(path))
	}
	return nil
}

// connect returns a pool of that many connections. It opens none yet.
func connect(path string, connections int, params url.Values) (*sql.DB, error) {
	params["_pragma"] = slices.Concat(pragmas, params["_pragma"])
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a Windows drive
	}
	// SQLite, which reads some of the parameters itself, takes a plus sign for one.
	query := strings.ReplaceAll(params.Encode(), "+", "%20")
	name := url.URL{Scheme: "file", Path: slashed, RawQuery: query}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// syncDir makes a new file's name survive a power cut. SQLite does that for the files that it makes beside it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be opened for it, and NTFS logs names
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// busy reports whether a statement did nothing because of another connection's lock.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// explain puts what SQLite says about a file that is none of its own into words.
func explain(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_NOTADB {
		return fmt.Errorf("not an SQLite database: %w", err)
	}
	return err
}
