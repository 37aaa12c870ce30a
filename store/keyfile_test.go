package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
)

// padKeyFile lengthens a key file to a size, with comments.
func padKeyFile(t *testing.T, path string, size int) (text []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	text = append(text, '#')
	text = append(text, bytes.Repeat([]byte("x"), size-1-len(text))...)
	text = append(text, '\n')
	require.Len(t, text, size)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return text
}

// TestChangeKeysWritesNoLongFile: a change that makes the file longer than ReadKeyFile reads is refused, and the file stays.
func TestChangeKeysWritesNoLongFile(t *testing.T) {
	const limit = 1 << 20
	const line = len("seal k20060102-abcdef ") + 43 + len("\n")
	for _, c := range []struct {
		size int
		fits bool
	}{{limit - line, true}, {limit - line + 1, false}, {limit - 1, false}, {limit, false}} {
		path, _ := keyFile(t)
		before := padKeyFile(t, path, c.size)
		id, err := store.AddKey(path)
		keys, readErr := store.ReadKeyFile(path)
		require.NoError(t, readErr, "%d: the file can be read after the call", c.size)
		alone(t, path)
		if c.fits {
			require.NoError(t, err, c.size)
			require.Len(t, keys.Sealing, 2, c.size)
			continue
		}
		require.ErrorIs(t, err, store.ErrInvalidKeyFile, c.size)
		require.EqualError(t, err, "store: keys: over the limit of 1 MiB")
		assert.Empty(t, id, c.size)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, before, after, c.size)
	}
}

// TestKeyFileAppearsWhole: a process that finds the file finds all of it, at every moment. So a crash leaves no half of a file.
func TestKeyFileAppearsWhole(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		path := filepath.Join(dir, fmt.Sprint(i))
		read := make(chan error)
		go func() {
			for {
				if _, err := store.ReadKeyFile(path); !errors.Is(err, fs.ErrNotExist) {
					read <- err
					return
				}
			}
		}()
		_, err := store.CreateKeyFile(path)
		require.NoError(t, err)
		require.NoError(t, <-read, i)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 100, "no temporary file is left")
}

// TestCreateFile: at the moment in which the file gets its name, all of it is on the disk. Without hard links the file is
// written in place. No outcome leaves another file, and an existing file stays.
func TestCreateFile(t *testing.T) {
	for name, c := range map[string]struct {
		exists bool
		link   func(from, to string) error
		want   error
		text   string
	}{
		"with links":                {false, os.Link, nil, "text"},
		"an existing file":          {true, os.Link, fs.ErrExist, "old"},
		"without links":             {false, func(string, string) error { return errors.ErrUnsupported }, nil, "text"},
		"an existing one, no links": {true, func(string, string) error { return errors.ErrUnsupported }, fs.ErrExist, "old"},
		"a rival just before": {false, func(from, to string) error {
			return errors.Join(os.WriteFile(to, []byte("old"), 0o600), os.Link(from, to))
		}, fs.ErrExist, "old"},
		"a rival, no links": {false, func(_, to string) error {
			return errors.Join(os.WriteFile(to, []byte("old"), 0o600), errors.ErrUnsupported)
		}, fs.ErrExist, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if c.exists {
				require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
			}
			err := store.CreateFile(path, "text", func(from, to string) error {
				assert.Equal(t, filepath.Dir(to), filepath.Dir(from), "on the same file system")
				whole, err := os.ReadFile(from)
				require.NoError(t, err)
				assert.Equal(t, "text", string(whole))
				return c.link(from, to)
			})
			require.ErrorIs(t, err, c.want)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, c.text, string(text))
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o600), info.Mode())
			alone(t, path)
		})
	}
}
