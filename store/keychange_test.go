package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/store"
)

func keyFile(t *testing.T) (path string, keys store.Keys) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pins.keys")
	keys, err := store.CreateKeyFile(path)
	require.NoError(t, err)
	return path, keys
}

// keyIDs returns the ids of a key file's sealing keys, the one in front first.
func keyIDs(t *testing.T, path string) (ids []string) {
	t.Helper()
	keys, err := store.ReadKeyFile(path)
	require.NoError(t, err)
	for _, k := range keys.Sealing {
		ids = append(ids, k.ID)
	}
	return ids
}

// alone checks that a change left no other file behind.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestChangeKeys(t *testing.T) {
	path, before := keyFile(t)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append([]byte("# ours\n"), strings.TrimSuffix(string(text), "\n")...), 0o600))
	require.NoError(t, os.Chmod(path, 0o400))
	id, err := store.AddKey(path)
	require.NoError(t, err)
	assert.Equal(t, []string{"k1", id}, keyIDs(t, path), "behind")
	assert.Regexp(t, `\Ak\d{8}-[a-z2-7]{6}\z`, id)
	require.NoError(t, store.PromoteKey(path, id))
	assert.Equal(t, []string{id, "k1"}, keyIDs(t, path))
	require.NoError(t, store.PromoteKey(path, id), "it is in front")
	third, err := store.AddKey(path)
	require.NoError(t, err)
	require.NoError(t, store.PromoteKey(path, third))
	assert.Equal(t, []string{third, id, "k1"}, keyIDs(t, path), "the others keep their order")
	require.NoError(t, store.RemoveKey(path, id))
	assert.Equal(t, []string{third, "k1"}, keyIDs(t, path))
	require.NoError(t, store.RemoveKey(path, "k1"))
	assert.Equal(t, []string{third}, keyIDs(t, path))

	after, err := store.ReadKeyFile(path)
	require.NoError(t, err)
	assert.Equal(t, before.Index.Reveal(), after.Index.Reveal())
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), "# ours\n")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o400), info.Mode().Perm())
	alone(t, path)
}

func TestChangeKeysRefuses(t *testing.T) {
	path, _ := keyFile(t)
	id, err := store.AddKey(path)
	require.NoError(t, err)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	err = store.RemoveKey(path, "k1")
	require.ErrorIs(t, err, store.ErrKeyInFront)
	require.EqualError(t, err, `store: key "k1" is in front and seals: promote another first`)
	for _, unknown := range []string{"", "k9", "index", "seal", "K1", id + " "} {
		require.ErrorIs(t, store.RemoveKey(path, unknown), store.ErrNotFound, unknown)
		require.ErrorIs(t, store.PromoteKey(path, unknown), store.ErrNotFound, unknown)
	}
	_, err = store.AddKey(path + "x")
	require.ErrorIs(t, err, fs.ErrNotExist)

	// Another change is under way.
	require.NoError(t, os.WriteFile(path+".new", nil, 0o600))
	_, err = store.AddKey(path)
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorIs(t, store.PromoteKey(path, id), fs.ErrExist)
	require.ErrorIs(t, store.RemoveKey(path, id), fs.ErrExist)
	require.FileExists(t, path+".new", "it is the other's")
	require.NoError(t, os.Remove(path+".new"))

	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
	alone(t, path)

	require.NoError(t, store.PromoteKey(path, id))
	require.NoError(t, store.RemoveKey(path, "k1"))
	require.ErrorIs(t, store.RemoveKey(path, id), store.ErrKeyInFront, "the last one")

	require.NoError(t, os.WriteFile(path, []byte("civicpin keys 1\n"), 0o600))
	_, err = store.AddKey(path)
	require.ErrorIs(t, err, store.ErrInvalidKeyFile)
	alone(t, path)
}

func TestChangeKeysThroughALink(t *testing.T) {
	path, _ := keyFile(t)
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	id, err := store.AddKey(link)
	require.NoError(t, err)
	assert.Equal(t, []string{"k1", id}, keyIDs(t, path))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSymlink, info.Mode().Type(), "the link is still one")
}

func TestKeyFileRights(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are not looked at there")
	}
	path, keys := keyFile(t)
	for mode, fit := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true,
		0o640: false, 0o604: false, 0o660: false, 0o644: false, 0o610: false, 0o601: false, 0o602: false, 0o444: false,
	} {
		require.NoError(t, os.Chmod(path, mode))
		read, err := store.ReadKeyFile(path)
		_, addErr := store.AddKey(path)
		if fit {
			require.NoError(t, err, "%o", mode)
			require.NoError(t, addErr, "%o", mode)
			assert.Equal(t, keys.Index.Reveal(), read.Index.Reveal())
		} else {
			require.ErrorIs(t, err, store.ErrExposedKeyFile, "%o", mode)
			require.ErrorIs(t, addErr, store.ErrExposedKeyFile, "%o", mode)
			assert.True(t, read.Index.IsZero())
		}
		read, err = store.ReadMountedKeyFile(path)
		require.NoError(t, err, "%o", mode)
		assert.Equal(t, keys.Index.Reveal(), read.Index.Reveal())
	}
	require.NoError(t, os.WriteFile(path, make([]byte, 1<<20+1), 0o600))
	require.NoError(t, os.Chmod(path, 0o600))
	_, err := store.ReadKeyFile(path)
	require.ErrorIs(t, err, store.ErrInvalidKeyFile)
}

// TestChangeKeysAtOnce: a change that is not refused is in the file, whatever others do.
func TestChangeKeysAtOnce(t *testing.T) {
	path, _ := keyFile(t)
	added := make(chan []string)
	for range 4 {
		go func() {
			var ids []string
			for range 25 {
				if id, err := store.AddKey(path); err == nil {
					ids = append(ids, id)
				}
			}
			added <- ids
		}()
	}
	all := []string{"k1"}
	for range 4 {
		all = append(all, <-added...)
	}
	assert.Greater(t, len(all), 1)
	assert.ElementsMatch(t, all, keyIDs(t, path))
}

// TestRotateForever is not a test: it is what the child of TestChangeKeysKilled runs.
func TestRotateForever(t *testing.T) {
	processes.Serve(t, func(_ context.Context, c *processes.Child, path string) error {
		front := keyIDs(t, path)[0]
		c.Ready()
		for {
			id, err := store.AddKey(path)
			if err != nil {
				return err
			}
			if err := errors.Join(store.PromoteKey(path, id), store.RemoveKey(path, front)); err != nil {
				return err
			}
			front = id
		}
	})
}

// TestChangeKeysKilled kills a process that changes a key file again and again: what is there is always a whole file, with the
// index key, and with the key that was in front or the next one.
func TestChangeKeysKilled(t *testing.T) {
	path, created := keyFile(t)
	for i := range 12 {
		all := processes.Start(t, "TestRotateForever", path)
		all.Go(t)
		time.Sleep(time.Duration(5+3*i) * time.Millisecond)
		all[0].Kill(t)

		keys, err := store.ReadKeyFile(path)
		require.NoError(t, err)
		require.Equal(t, created.Index.Reveal(), keys.Index.Reveal())
		require.Contains(t, []int{1, 2}, len(keys.Sealing))
		for _, old := range keyIDs(t, path)[1:] {
			require.NoError(t, removeLeftover(path))
			require.NoError(t, store.RemoveKey(path, old))
		}
		require.NoError(t, removeLeftover(path))
	}
}

// removeLeftover does what an operator does after a crash.
func removeLeftover(path string) error {
	err := os.Remove(path + ".new")
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
