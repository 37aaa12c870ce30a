package bboltstore_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/examples/bboltstore"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestStore is the whole test of a store of one's own.
func TestStore(t *testing.T) {
	files := &files{open: make(map[string]*file)}
	storetest.RunDurable(t, func(t *testing.T, dir string) store.Store {
		return files.handle(t, filepath.Join(dir, "pins.db"))
	})
}

// files hands out several handles on one file, which bbolt opens once: it is closed with the last of them, and opened anew by
// the next. A store that can be opened twice needs nothing of this.
type files struct {
	mu   sync.Mutex
	open map[string]*file
}

type file struct {
	*bboltstore.Store
	handles int
}

type handle struct {
	*bboltstore.Store
	close func() error
}

func (h handle) Close() error { return h.close() }

func (f *files) handle(t *testing.T, path string) store.Store {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[path] == nil {
		s, err := bboltstore.Open(path)
		require.NoError(t, err)
		s.NoSync() // the suite kills no machine, and writes some thousand times
		f.open[path] = &file{Store: s}
	}
	f.open[path].handles++
	return handle{f.open[path].Store, sync.OnceValue(func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.open[path].handles--; f.open[path].handles > 0 {
			return nil
		}
		s := f.open[path].Store
		delete(f.open, path)
		return s.Close()
	})}
}

// TestOpenTwice: a second process is refused, not made to wait for ever.
func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pins.db")
	s, err := bboltstore.Open(path)
	require.NoError(t, err)
	_, err = bboltstore.Open(path)
	require.Error(t, err)
	require.NoError(t, s.Close())
	s, err = bboltstore.Open(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
