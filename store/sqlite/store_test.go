package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/sqlstore"
	"github.com/civicpin/civicpin/store/storetest"
)

// open returns a store that is closed when the test ends.
func open(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), path)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// openRaw returns a connection pool of one to the same file by another way, as another program would have.
func openRaw(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(tb, err)
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

func newPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "pins.db") }

func put(tb testing.TB, s store.Store, key, value string, v store.Version) store.Version {
	tb.Helper()
	v, err := s.Put(tb.Context(), key, store.Record{Value: []byte(value), Version: v})
	require.NoError(tb, err)
	return v
}

// Every character of a path counts as itself, whatever it means in a URI, an SQLite file name or a DSN.
func TestOpenTakesThePathLiterally(t *testing.T) {
	names := []string{
		"plain.db", "with space.db", "q?mode=memory", "q?_pragma=synchronous(OFF)", "hash#part", "percent%41", "percent%00end",
		"100%", "a&b=c;d", "+plus", ":memory:", "file:x", "file::memory:?cache=shared", "日本 ñ.db", "quote'\"",
		"\xff\xfe.db", "back\\slash",
	}
	if runtime.GOOS == "windows" {
		t.Skip("most of these are no file names")
	}
	for _, name := range names {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			dir := t.TempDir()
			s, err := sqlite.Open(t.Context(), filepath.Join(dir, name))
			require.NoError(t, err)
			put(t, s, "k", "v", 0)
			require.NoError(t, s.Close())
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, entries, 1, "one file, and neither a log nor a temporary one left")
			require.Equal(t, name, entries[0].Name())

			r, err := open(t, filepath.Join(dir, name)).Get(t.Context(), "k")
			require.NoError(t, err)
			require.Equal(t, "v", string(r.Value))
		})
	}
	t.Run("directory", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a b+c%20d?e#f&g")
		require.NoError(t, os.Mkdir(dir, 0o700))
		put(t, open(t, filepath.Join(dir, "x")), "k", "v", 0)
		info, err := os.Stat(filepath.Join(dir, "x"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	})
	t.Run("relative", func(t *testing.T) {
		t.Chdir(t.TempDir())
		s := open(t, ":memory:")
		put(t, s, "k", "v", 0)
		require.FileExists(t, ":memory:")
		t.Chdir(t.TempDir())
		// A connection that is opened now must still find the file.
		for range store.Lister(s).List(t.Context(), "", "") {
			_, err := s.Get(t.Context(), "k")
			require.NoError(t, err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	for name, c := range map[string]struct{ path, want string }{
		"no name":              {"", "not a file name"},
		"a NUL":                {filepath.Join(dir, "a\x00b"), "not a file name"},
		"a directory":          {dir, "is a directory"},
		"no such directory":    {filepath.Join(dir, "none", "x"), "the directory does not exist"},
		"a short text":         {file("short", "hello"), "not an SQLite database"},
		"a long text":          {file("long", strings.Repeat("hello ", 10_000)), "not an SQLite database"},
		"a file as directory":  {filepath.Join(file("f", "x"), "y"), "not a directory"},
		"a device":             {os.DevNull, "not a regular file"},
		"a truncated database": {file("cut", "SQLite format 3\x00"), "not an SQLite database"},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := os.ReadFile(c.path)
			s, err := sqlite.Open(t.Context(), c.path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "sqlite: open")
			require.Nil(t, s)
			after, _ := os.ReadFile(c.path)
			require.Equal(t, before, after, "a file that is refused is not touched")
		})
	}
	t.Run("no such directory", func(t *testing.T) {
		_, err := sqlite.Open(t.Context(), filepath.Join(dir, "none", "x"))
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, filepath.Join(dir, "none")+":", "the text names the directory")
	})
	t.Run("a context that is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := sqlite.Open(ctx, newPath(t))
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("a newer schema", func(t *testing.T) {
		path := newPath(t)
		require.NoError(t, open(t, path).Close())
		_, err := openRaw(t, path).Exec("UPDATE civicpin_records_schema SET version = 2")
		require.NoError(t, err)
		_, err = sqlite.Open(t.Context(), path)
		require.ErrorIs(t, err, sqlstore.ErrNewerSchema)
	})
	t.Run("a file that another holds", func(t *testing.T) {
		path := newPath(t)
		db := openRaw(t, path)
		for _, q := range []string{"CREATE TABLE x (y)", "BEGIN EXCLUSIVE"} {
			_, err := db.Exec(q)
			require.NoError(t, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := sqlite.Open(ctx, path)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 3*time.Second)
		_, err = db.Exec("COMMIT")
		require.NoError(t, err)
		open(t, path)
	})
}

// onUnix returns an open file with one record and its path. On Windows it skips the test, and says why.
func onUnix(t *testing.T, why string) (string, *sqlite.Store) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip(why)
	}
	path := newPath(t)
	s := open(t, path)
	put(t, s, "k", "v", 0)
	return path, s
}

func TestFilesArePrivate(t *testing.T) {
	path, s := onUnix(t, "no such permissions")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "%q", suffix)
	}
	require.NoError(t, s.Close())

	require.NoError(t, os.Chmod(path, 0o640))
	put(t, open(t, path), "l", "v", 0)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "permissions that the operator chose stay")
}

// Every connection must have the settings, those that are opened later too.
func TestSettings(t *testing.T) {
	s := open(t, newPath(t))
	for name, db := range map[string]*sql.DB{"writer": sqlite.Writer(s), "readers": sqlite.Readers(s)} {
		var conns []*sql.Conn
		for range db.Stats().MaxOpenConnections {
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			conns = append(conns, conn)
			for pragma, want := range map[string]string{
				"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "secure_delete": "2", "trusted_schema": "0",
				"cell_size_check": "1", "busy_timeout": "25", "query_only": map[string]string{"writer": "0", "readers": "1"}[name],
			} {
				var got string
				require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
				require.Equal(t, want, got, "%s: %s", name, pragma)
			}
		}
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
	}
	require.Equal(t, 1, sqlite.Writer(s).Stats().MaxOpenConnections)
	require.GreaterOrEqual(t, sqlite.Readers(s).Stats().MaxOpenConnections, 4)
}

// If somebody takes the file away, no connection may begin a new, empty one: all would be unknown in it, and nobody locked.
func TestNoNewFileInTheOldOnesPlace(t *testing.T) {
	path, s := onUnix(t, "an open file cannot be taken away")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.Remove(path+suffix))
	}
	for _, db := range []*sql.DB{sqlite.Writer(s), sqlite.Readers(s)} {
		db.SetMaxIdleConns(0) // closes what is open
		db.SetMaxIdleConns(1)
	}
	_, err := s.Get(t.Context(), "k")
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrNotFound)
	_, err = s.Put(t.Context(), "k", store.Record{})
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrConflict)
	require.NoFileExists(t, path)
}

func TestClose(t *testing.T) {
	path := newPath(t)
	s, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	v := put(t, s, "k", "v", 0)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "again")
	require.NoFileExists(t, path+"-wal")

	_, err = s.Get(t.Context(), "k")
	require.ErrorContains(t, err, "closed")
	_, err = s.Put(t.Context(), "k", store.Record{Version: v})
	require.ErrorContains(t, err, "closed")
	require.ErrorContains(t, s.Delete(t.Context(), "k", v), "closed")
	n := 0
	for _, err := range s.List(t.Context(), "", "") {
		require.ErrorContains(t, err, "closed")
		n++
	}
	require.Equal(t, 1, n)
}

// A file that another program uses for its own tables can hold the records, too.
func TestForeignTablesStay(t *testing.T) {
	path := newPath(t)
	db := openRaw(t, path)
	_, err := db.Exec("CREATE TABLE mine (x); INSERT INTO mine VALUES (7)")
	require.NoError(t, err)
	put(t, open(t, path), "k", "v", 0)
	var x int
	require.NoError(t, db.QueryRow("SELECT x FROM mine").Scan(&x))
	require.Equal(t, 7, x)
}

func TestErrorsShowNoValue(t *testing.T) {
	s := open(t, newPath(t))
	_, err := sqlite.Writer(s).Exec(`CREATE TRIGGER no BEFORE INSERT ON civicpin_records
		BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	require.NoError(t, err)
	_, err = s.Put(t.Context(), "k", store.Record{Value: []byte("secret-value")})
	require.ErrorContains(t, err, "refused")
	require.NotErrorIs(t, err, store.ErrConflict)
	require.NotContains(t, err.Error(), "secret-value")
	require.False(t, errors.Is(err, store.ErrNotFound))
}

// The vault finds these by assertion: without them it would purge by a listing, and nobody would notice.
var (
	_ store.Purger = (*sqlite.Store)(nil)
	_ store.Purger = (*sqlstore.Store)(nil)
)

// visit is a record that its owner may be told of.
type visit struct {
	Name string `json:"name" export:"yes"`
}

// TestUpkeep purges, re-seals, exports and erases in a file: a few records at a time, each walk begun anew in the middle.
func TestUpkeep(t *testing.T) {
	now := time.Now()
	seal := func(id string) store.SealingKey {
		s, err := store.XChaCha20Poly1305(civicpin.NewSecret((id + strings.Repeat("s", 32))[:32]))
		require.NoError(t, err)
		return store.SealingKey{ID: id, Sealer: s}
	}
	file := open(t, newPath(t))
	vault := func(keys ...store.SealingKey) *store.Vault {
		v, err := store.OpenVault(t.Context(), file, store.Keys{Index: civicpin.NewSecret(strings.Repeat("i", 32)), Sealing: keys}, &store.Options{
			Now: func() time.Time { return now },
		})
		require.NoError(t, err)
		return v
	}
	old, both := vault(seal("k1")), vault(seal("k2"), seal("k1"))
	for _, v := range []*store.Vault{old, both} {
		kind, err := store.NewKind[visit](v, "visit")
		require.NoError(t, err)
		if v == both {
			break // made, so that the export knows it
		}
		for i := range 300 {
			e := store.Entry[visit]{
				Key:   store.Key{Subject: civicpin.Subject(fmt.Sprint("S", i%3)), ID: fmt.Sprint(i)},
				Value: visit{Name: fmt.Sprint(i)},
			}
			if i < 150 {
				e.ExpiresAt = now.Add(time.Minute)
			}
			require.NoError(t, kind.Put(t.Context(), &e))
		}
	}
	walk := func(most int, step func(store.Pass) (store.Progress, error)) (changed int) {
		p := store.Pass{Max: most}
		for {
			at, err := step(p)
			require.NoError(t, err)
			require.Zero(t, at.Missed)
			changed += at.Changed
			if at.End {
				return changed
			}
			p.After = at.Last
		}
	}
	require.Equal(t, 300, walk(70, func(p store.Pass) (store.Progress, error) { return both.Reseal(t.Context(), p) }))
	require.Zero(t, walk(0, func(p store.Pass) (store.Progress, error) { return both.Reseal(t.Context(), p) }))
	now = now.Add(2 * time.Hour)
	require.Equal(t, 150, walk(40, func(p store.Pass) (store.Progress, error) { return both.Purge(t.Context(), p) }))
	var out bytes.Buffer
	export := func(p store.Pass) (store.Progress, error) { return both.Export(t.Context(), &out, "S1", p) }
	require.Equal(t, 50, walk(33, export))
	require.Equal(t, 50, strings.Count(out.String(), `{"kind":"visit","value":{"name":"`))
	require.Equal(t, 50, walk(33, func(p store.Pass) (store.Progress, error) { return both.Erase(t.Context(), "S1", p) }))
	require.Zero(t, walk(0, export))
}

// openVault opens the vault that all processes of a test have in common, over a file. The caller closes the store.
func openVault(
	ctx context.Context, path string, now func() time.Time, r civicpin.Recorder,
) (*store.Vault, *sqlite.Store, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	v, err := store.OpenVault(ctx, s, testkit.Keys(), &store.Options{Now: now, Recorder: r})
	return v, s, err
}

// outcome says in a word what came of a guess. Any other error is one.
func outcome(err error) (string, error) {
	switch {
	case err == nil:
		return "let in", nil
	case errors.As(err, new(*lockout.LockedError)):
		return "locked", nil
	case errors.Is(err, lockout.ErrRefused):
		return "refused", nil
	case errors.Is(err, lockout.ErrBusy):
		return "busy", nil
	case errors.Is(err, recovery.ErrGone):
		return "gone", nil
	}
	return "", err
}

// patient guesses again as long as it is told to try later.
func patient(guess func() error) (string, error) {
	for {
		err := guess()
		if !errors.Is(err, lockout.ErrBusy) {
			return outcome(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestStore(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T, dir string) store.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "pins.db"))
		require.NoError(t, err)
		return s
	})
}

// A purge takes its turn among the writes, batch by batch.
func TestPurgeExpired(t *testing.T) {
	s := open(t, newPath(t))
	tx, err := sqlite.Writer(s).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	const n = 1300
	for i := range n {
		_, err := tx.Exec("INSERT INTO civicpin_records VALUES (?1, 1, ?2, x'')", fmt.Appendf(nil, "old/%04d", i), i)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	put(t, s, "kept", "v", 0)
	_, err = s.Put(t.Context(), "new", store.Record{ExpiresAt: time.Now().Add(time.Hour)})
	require.NoError(t, err)

	deleted, err := s.PurgeExpired(t.Context(), time.Now(), 700)
	require.NoError(t, err)
	require.Equal(t, 700, deleted)
	for item, err := range s.List(t.Context(), "old/", "") {
		require.NoError(t, err)
		require.Equal(t, "old/0700", item.Key, "what expired first goes first")
		break
	}
	deleted, err = s.PurgeExpired(t.Context(), time.Now(), n)
	require.NoError(t, err)
	require.Equal(t, n-700, deleted)
	deleted, err = s.PurgeExpired(t.Context(), time.Now(), n)
	require.NoError(t, err)
	require.Zero(t, deleted)
	for _, key := range []string{"kept", "new"} {
		_, err := s.Get(t.Context(), key)
		require.NoError(t, err)
	}

	tx, err = sqlite.Writer(s).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s.PurgeExpired(ctx, time.Now(), 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, tx.Rollback())
}

// benchValue is as long as a sealed lockout record.
var benchValue = bytes.Repeat([]byte("x"), 300)

// filled returns a store of many keys.
func filled(b *testing.B, keys int) (s store.Store, key func(i int) string) {
	s = open(b, newPath(b))
	key = func(i int) string { return fmt.Sprintf("bench/%06d", i%keys) }
	for i := range keys {
		_, err := s.Put(b.Context(), key(i), store.Record{Value: benchValue})
		require.NoError(b, err)
	}
	return s, key
}

func BenchmarkGet(b *testing.B) {
	s, key := filled(b, 1000)
	b.Run("one", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			if _, err := s.Get(b.Context(), key(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		var n atomic.Int64
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Get(b.Context(), key(int(n.Add(1)))); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkCreate(b *testing.B) {
	var n atomic.Int64
	b.Run("one", func(b *testing.B) {
		s := open(b, newPath(b))
		for b.Loop() {
			if _, err := s.Put(b.Context(), fmt.Sprintf("bench/%d", n.Add(1)), store.Record{Value: benchValue}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		s := open(b, newPath(b))
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Put(b.Context(), fmt.Sprintf("bench/%d", n.Add(1)), store.Record{Value: benchValue}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkSwap reads a record and replaces it, again if somebody else was first: what every decision of the library costs.
func BenchmarkSwap(b *testing.B) {
	for _, c := range []struct {
		name string
		keys int
	}{{"one key", 1}, {"many keys", 1000}} {
		s, key := filled(b, c.keys)
		swap := func(i int) error {
			for {
				r, err := s.Get(b.Context(), key(i))
				if err != nil {
					return err
				}
				if _, err = s.Put(b.Context(), key(i), r); !errors.Is(err, store.ErrConflict) {
					return err
				}
			}
		}
		b.Run(c.name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				if err := swap(i); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+" parallel", func(b *testing.B) {
			var n atomic.Int64
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := swap(int(n.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkList(b *testing.B) {
	s, _ := filled(b, 1000)
	for b.Loop() {
		n := 0
		for _, err := range s.(store.Lister).List(b.Context(), "", "") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 1000 {
			b.Fatal(n)
		}
	}
}

// guessGate returns a gate over a store.
func guessGate(s store.Store) (*lockout.Gate, error) {
	vault, err := store.OpenVault(context.Background(), s, testkit.Keys(), nil)
	if err != nil {
		return nil, err
	}
	return lockout.New(vault, "login", lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
}

// BenchmarkGuess is what a guess costs on a file whose every write is durable.
func BenchmarkGuess(b *testing.B) {
	for name, job := range map[string]struct {
		verify  func(context.Context) (bool, error)
		locked  bool
		allowed func(error) bool
	}{
		"right": {
			verify:  func(context.Context) (bool, error) { return true, nil },
			allowed: func(err error) bool { return err == nil },
		},
		"wrong": {
			verify:  func(context.Context) (bool, error) { return false, nil },
			allowed: func(err error) bool { return errors.Is(err, lockout.ErrRefused) },
		},
		"locked": {
			verify: func(context.Context) (bool, error) { return true, nil }, locked: true,
			allowed: func(err error) bool { _, ok := errors.AsType[*lockout.LockedError](err); return ok },
		},
	} {
		b.Run(name, func(b *testing.B) {
			s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "pins.db"))
			require.NoError(b, err)
			defer s.Close()
			faults := storetest.NewFaults(s)
			gate, err := guessGate(faults.Store())
			require.NoError(b, err)
			if job.locked {
				require.NoError(b, gate.Lock(b.Context(), lockout.Target{Subject: "CITIZEN 0"}, civicpin.Operator("1")))
			}
			before, i := faults.Calls(), 0
			for b.Loop() {
				if !job.locked {
					i++
				}
				err := gate.Do(b.Context(), lockout.Target{Subject: civicpin.Subject(fmt.Sprint("CITIZEN ", i))}, job.verify)
				require.True(b, job.allowed(err), "%v", err)
			}
			b.ReportMetric(float64(faults.Calls()-before)/float64(b.N), "calls/op")
		})
	}
}

func auditVault(b *testing.B) *store.Vault {
	v, err := store.OpenVault(b.Context(), open(b, newPath(b)), testkit.Keys(), nil)
	require.NoError(b, err)
	return v
}

// BenchmarkAudit records events from many goroutines at once: how many events a second the log takes on a disk.
func BenchmarkAudit(b *testing.B) {
	for _, chains := range []int{1, 4} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("chains=%d/callers=%d", chains, callers), func(b *testing.B) {
				l, err := audit.New(auditVault(b), audit.Config{
					Chains: chains,
					Failed: func(_ context.Context, _ civicpin.Event, err error) { b.Error(err) },
				})
				require.NoError(b, err)
				var n atomic.Int64
				b.SetParallelism(max(1, callers/2)) // of two processors
				record := func() {
					subject := civicpin.Subject(fmt.Sprint(n.Add(1) % 1000))
					l.Record(b.Context(), civicpin.Event{Code: "pin.verified", Subject: subject})
				}
				if callers == 1 {
					for b.Loop() {
						record()
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							record()
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
