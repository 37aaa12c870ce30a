package store_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/store"
)

// b64 is a key as key files have it.
func b64(name string) string { return base64.RawStdEncoding.EncodeToString([]byte(keyBytes(name))) }

func TestParseKeys(t *testing.T) {
	index, k1, k2 := b64("index"), b64("k1"), b64("k2")
	const head = "civicpin keys 1\n"
	for name, text := range map[string]string{
		"shortest":      head + "index " + index + "\nseal k1 " + k1,
		"blanks":        "\n # comment\r\n  civicpin keys 1 \r\n\tindex\t" + index + " \r\n#x\n\nseal  k1  " + k1 + "\r\n\r\n",
		"seal first":    head + "seal k1 " + k1 + "\nindex " + index + "\n",
		"two seals":     head + "index " + index + "\nseal k1 " + k1 + "\nseal k2 " + k2 + "\n",
		"an odd id":     head + "index " + index + "\nseal -_.Z9 " + k1 + "\n",
		"index as id":   head + "index " + index + "\nseal index " + k1 + "\n",
		"a longest id":  head + "index " + index + "\nseal " + strings.Repeat("x", 32) + " " + k1 + "\n",
		"comment first": "#" + head + head + "index " + index + "\nseal k1 " + k1,
	} {
		keys, err := store.ParseKeys(text)
		require.NoError(t, err, name)
		assert.Equal(t, keyBytes("index"), keys.Index.Reveal(), name)
	}
	keys, err := store.ParseKeys(head + "index " + index + "\nseal k2 " + k2 + "\nseal k1 " + k1)
	require.NoError(t, err)
	require.Len(t, keys.Sealing, 2)
	assert.Equal(t, "k2", keys.Sealing[0].ID, "the first line seals")
	memory := store.NewMemory()
	put(t, accounts(t, memory), store.Key{Subject: rossi}, account{N: 4})
	e, err := kindOf[account](t, newVault(t, memory, keys, nil), "account").Get(t.Context(), store.Key{Subject: rossi})
	require.NoError(t, err)
	assert.Equal(t, 4, e.Value.N)

	long := head + strings.Repeat("a ", 5<<20)
	require.Less(t, testkit.Allocated(func() { _, _ = store.ParseKeys(long) }), uint64(64<<10))

	for name, text := range map[string]string{
		"nothing":              "",
		"only comments":        "# civicpin keys 1\n",
		"no header":            "index " + index + "\nseal k1 " + k1 + "\n",
		"another version":      "civicpin keys 2\nindex " + index + "\nseal k1 " + k1 + "\n",
		"a byte order mark":    "\ufeff" + head + "index " + index + "\nseal k1 " + k1 + "\n",
		"header twice":         head + head + "index " + index + "\nseal k1 " + k1 + "\n",
		"header case":          "Civicpin keys 1\nindex " + index + "\nseal k1 " + k1 + "\n",
		"no index":             head + "seal k1 " + k1 + "\n",
		"no seal":              head + "index " + index + "\n",
		"index twice":          head + "index " + index + "\nindex " + k2 + "\nseal k1 " + k1 + "\n",
		"seal without id":      head + "index " + index + "\nseal " + k1 + "\n",
		"index with id":        head + "index k1 " + index + "\nseal k1 " + k1 + "\n",
		"one id twice":         head + "index " + index + "\nseal k1 " + k1 + "\nseal k1 " + k2 + "\n",
		"id too long":          head + "index " + index + "\nseal " + strings.Repeat("x", 33) + " " + k1 + "\n",
		"id with a slash":      head + "index " + index + "\nseal a/b " + k1 + "\n",
		"id not ASCII":         head + "index " + index + "\nseal ké " + k1 + "\n",
		"unknown word":         head + "index " + index + "\nseal k1 " + k1 + "\nopen k2 " + k2 + "\n",
		"a word too many":      head + "index " + index + "\nseal k1 " + k1 + " x\n",
		"key of 31 bytes":      head + "index " + index[:42] + "\nseal k1 " + k1 + "\n",
		"key of 33 bytes":      head + "index " + index + "A\nseal k1 " + k1 + "\n",
		"key with padding":     head + "index " + index + "=\nseal k1 " + k1 + "\n",
		"URL alphabet":         head + "index " + strings.Repeat("-_", 21) + "A\nseal k1 " + k1 + "\n",
		"key in hexadecimal":   head + "index " + hex.EncodeToString([]byte(keyBytes("index"))) + "\nseal k1 " + k1 + "\n",
		"loose bits at end":    head + "index " + strings.Repeat("A", 42) + "B\nseal k1 " + k1 + "\n",
		"empty key":            head + "index\nseal k1 " + k1 + "\n",
		"comment on the line":  head + "index " + index + " # the index\nseal k1 " + k1 + "\n",
		"lines ended by CR":    strings.ReplaceAll(head+"index "+index+"\nseal k1 "+k1+"\n", "\n", "\r"),
		"NUL":                  head + "index " + index + "\x00\nseal k1 " + k1 + "\n",
		"a key over two lines": head + "index " + index[:20] + "\n" + index[20:] + "\nseal k1 " + k1 + "\n",
		"garbage":              "\xff\xfe\x00c\x00i",
	} {
		keys, err := store.ParseKeys(text)
		require.Error(t, err, name)
		assert.True(t, keys.Index.IsZero() && keys.Sealing == nil, "%s: keys beside the error", name)
		for _, secret := range []string{index, k1, k2, index[:8], k1[:8], k2[:8]} {
			assert.NotContains(t, err.Error(), secret, name)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	created, err := store.CreateKeyFile(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	text, err := os.ReadFile(path)
	require.NoError(t, err)

	read, err := store.ReadKeyFile(path)
	require.NoError(t, err)
	assert.Equal(t, created.Index.Reveal(), read.Index.Reveal())
	memory := store.NewMemory()
	put(t, kindOf[account](t, newVault(t, memory, created, nil), "account"), store.Key{Subject: rossi}, account{N: 1})
	e, err := kindOf[account](t, newVault(t, memory, read, nil), "account").Get(t.Context(), store.Key{Subject: rossi})
	require.NoError(t, err)
	assert.Equal(t, 1, e.Value.N)

	// A second file is another one, and an existing one stays as it is.
	other, err := store.CreateKeyFile(path + "2")
	require.NoError(t, err)
	assert.NotEqual(t, created.Index.Reveal(), other.Index.Reveal())
	again, err := store.CreateKeyFile(path)
	require.ErrorIs(t, err, os.ErrExist)
	require.EqualError(t, err, "store: create key file: "+path+" exists: read it with ReadKeyFile")
	assert.True(t, again.Index.IsZero())
	require.NoError(t, os.Symlink(path+"3", path+"link"))
	_, err = store.CreateKeyFile(path + "link")
	require.Error(t, err, "a link that somebody laid is not followed")
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, text, now)

	_, err = store.ReadKeyFile(path + "none")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = store.CreateKeyFile(filepath.Join(path, "below", "a file"))
	require.Error(t, err)
}

func TestXChaCha20Poly1305(t *testing.T) {
	for _, n := range []int{0, 1, 16, 31, 33, 64} {
		s, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("k", n)))
		require.Error(t, err, n)
		assert.Nil(t, s, n)
	}
	s := sealing(t, "k1").Sealing[0].Sealer
	plain, associated := []byte("plain"), []byte("associated")
	sealed, err := s.Seal(t.Context(), plain, associated)
	require.NoError(t, err)
	again, err := s.Seal(t.Context(), plain, associated)
	require.NoError(t, err)
	assert.NotEqual(t, sealed, again)
	assert.Equal(t, "plain", string(plain))
	opened, err := s.Open(t.Context(), sealed, associated)
	require.NoError(t, err)
	assert.Equal(t, plain, opened)
	_, err = s.Open(t.Context(), sealed, []byte("Associated"))
	require.Error(t, err)
	for n := range len(sealed) {
		_, err = s.Open(t.Context(), sealed[:n], associated)
		require.Error(t, err, n)
	}
}

// TestPrintingShowsNoKey prints all that holds keys in every way, and looks for the keys in every spelling.
func TestPrintingShowsNoKey(t *testing.T) {
	keys := sealing(t, "k1", "k2")
	v := newVault(t, store.NewMemory(), keys, nil)
	k := kindOf[account](t, v, "account")
	var out bytes.Buffer
	for _, what := range []any{
		keys, &keys, keys.Sealing, keys.Sealing[0], &keys.Sealing[0], keys.Sealing[0].Sealer, keys.Index, v, *v, k, &k,
		map[string]any{"keys": keys},
		[]any{&keys},
		struct{ inner store.Keys }{keys},
	} {
		for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
			for _, flags := range []string{"", "+", "#", " ", "-", "0", "64.64", "+#", "# "} {
				_, _ = fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", what)
			}
		}
		_, _ = fmt.Fprintln(&out, what)
		slog.New(slog.NewTextHandler(&out, nil)).Info("keys", "what", what)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("keys", "what", what)
		text, _ := json.Marshal(what)
		out.Write(text)
	}
	printed := strings.ToLower(out.String())
	require.Greater(t, len(printed), 10_000)
	for _, name := range []string{"index", "k1", "k2"} {
		key := []byte(keyBytes(name))[5:] // the beginning is the name, which is no secret
		for _, spelling := range []string{
			string(key[:6]), hex.EncodeToString(key[:4]), base64.RawStdEncoding.EncodeToString(key[:6]),
			strings.Trim(fmt.Sprint(key[:4]), "[]"), strings.Trim(fmt.Sprintf("%x", string(key[:4])), "[]"),
			strings.Trim(fmt.Sprintf("% x", key[:4]), "[]"), strings.Trim(fmt.Sprintf("%#v", key[:4]), "[]byte{}"),
			strings.Trim(fmt.Sprintf("%q", key[:4]), `"`), strings.Trim(fmt.Sprintf("%o", key[:4]), "[]"),
		} {
			assert.NotContains(t, printed, strings.ToLower(spelling))
		}
	}
}

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
