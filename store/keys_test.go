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
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
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

// FuzzRecordDecode stores any bytes as a record: it gives an error and is never found.
func FuzzRecordDecode(f *testing.F) {
	memory := store.NewMemory()
	k := accounts(f, memory)
	key := store.Key{Subject: rossi}
	e := store.Entry[account]{Key: key, Value: account{N: 1}}
	if err := k.Put(f.Context(), &e); err != nil {
		f.Fatal(err)
	}
	item := raw(f, memory)[0]
	for _, at := range []int{0, 1, 2, 4, 30, len(item.Value) - 1} {
		bad := slices.Clone(item.Value)
		bad[at] ^= 0x80
		f.Add(bad)
		f.Add(item.Value[:at])
	}
	f.Add([]byte("\x01\xff"))
	f.Add([]byte("\x01\x00"))
	f.Fuzz(func(t *testing.T, value []byte) {
		if slices.Equal(value, item.Value) {
			return
		}
		memory := store.NewMemory() // fuzzing runs in parallel
		k := accounts(t, memory)
		overwrite(t, memory, item.Key, value)
		e, err := k.Get(t.Context(), key)
		if err == nil && e.Value == (account{N: 1}) {
			return // a seed, mended: each process of the fuzzer has sealed its own, under the same keys
		}
		if !errors.Is(err, store.ErrUnreadable) || e.Found() || e.Value != (account{}) {
			t.Fatalf("Get of %q: %+v, error %v; want ErrUnreadable", value, e, err)
		}
		for _, err := range k.All(t.Context()) {
			if !errors.Is(err, store.ErrUnreadable) {
				t.Fatalf("All over %q: error %v, want ErrUnreadable", value, err)
			}
		}
	})
}

// FuzzEnvelope seals any bytes, as only who has the keys can: what is found names its own key, and can be written back.
func FuzzEnvelope(f *testing.F) {
	keys := sealing(f, "k1")
	keys.Sealing[0].Sealer = plainSealer{}
	memory := store.NewMemory()
	k := kindOf[account](f, newVault(f, memory, keys, nil), "account")
	key := store.Key{Subject: rossi, ID: "x"}
	e := store.Entry[account]{Key: key, Value: account{N: 1, Note: "n"}}
	if err := k.Put(f.Context(), &e); err != nil {
		f.Fatal(err)
	}
	item := raw(f, memory)[0]
	head, plain := item.Value[:4], item.Value[4:]
	f.Add(plain)
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"v":null}`, `{"s":"RSSMRA85T10A562S","i":"x","v":{}}`, `{"s":"RSSMRA85T10A562S","i":"x"}`,
		`{"s":"RSSMRA85T10A562S","i":"x","v":{"N":1}}{}`, `{"s":"RSSMRA85T10A562S","i":"x","v":{"X":1}}`,
		`{"s":"RSSMRA85T10A562S","i":"x","x":1,"v":{}}`, `{"s":"RSSMRA85T10A562S","i":"x","x":-9223372036854775808,"v":{}}`,
		`{"s":"RSSMRA85T10A562S","i":"x","x":9223372036854775807,"v":{"Note":"\ud800"}}`,
		`{"s":"RSSMRA85T10A562S","i":"y","v":{}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		memory := store.NewMemory()
		k := kindOf[account](t, newVault(t, memory, keys, nil), "account")
		overwrite(t, memory, item.Key, slices.Concat(head, plain))
		e, err := k.Get(t.Context(), key)
		switch {
		case err == nil:
			if !e.Found() || e.Key != key {
				t.Fatalf("Get of %q: %+v", plain, e)
			}
			if err := k.Put(t.Context(), &e); err != nil {
				t.Fatalf("Put of what Get found in %q: %v", plain, err)
			}
			again, err := k.Get(t.Context(), key)
			if err != nil || again.Value != e.Value || !again.ExpiresAt.Equal(e.ExpiresAt) {
				t.Fatalf("Get of %q, written back: %+v, error %v; want %+v", plain, again, err, e)
			}
		case e.Found() || e.Value != (account{}):
			t.Fatalf("Get of %q: %+v beside the error %v", plain, e, err)
		case !errors.Is(err, store.ErrUnreadable) && !errors.Is(err, store.ErrNotFound):
			t.Fatalf("Get of %q: error %v", plain, err)
		}
	})
}

// keyErrors are all that ParseKeys may say: nothing of its input but the number of a line.
var keyErrors = regexp.MustCompile(`\Astore: (keys: no line "civicpin keys 1"|keys, line \d+: (does not begin a key file|` +
	`no key of 32 bytes in base64 without padding|a key that stands here already, under another name|a second index key|neither "index KEY" nor "seal ID KEY")|` +
	`the index key is not 32 bytes|no sealing key|` +
	`a sealing key needs a sealer and an id of its own, 1 to 32 letters, digits and -_\. of ASCII)\z`)

func FuzzParseKeys(f *testing.F) {
	index, k1 := b64("index"), b64("k1")
	for _, text := range []string{
		"", "civicpin keys 1", "civicpin keys 1\nindex " + index + "\nseal k1 " + k1 + "\n", "index " + index,
		"civicpin keys 1\nindex " + index + "\nseal k1 " + k1 + "\nseal k1 " + k1, "civicpin keys 1\nseal " + k1,
		"# x\n\n civicpin keys 1\r\nindex " + index + "\r\nseal k1 " + k1 + "\n", "civicpin keys 1\nindex " + index[:40],
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := store.ParseKeys(text)
		if err != nil {
			if !keys.Index.IsZero() || keys.Sealing != nil {
				t.Fatalf("keys beside the error %v", err)
			}
			if !keyErrors.MatchString(err.Error()) {
				t.Fatalf("unknown error: %v", err)
			}
			return
		}
		if !strings.Contains(text, "civicpin keys 1") || len(keys.Index.Reveal()) != 32 {
			t.Fatalf("keys out of %q", text)
		}
		if _, err := store.OpenVault(t.Context(), store.NewMemory(), keys, nil); err != nil {
			t.Fatalf("NewVault with keys that were parsed: %v", err)
		}
	})
}

func FuzzCheckKey(f *testing.F) {
	good := regexp.MustCompile(`\A[a-zA-Z0-9/_.-]{1,200}\z`)
	long := strings.Repeat("x", 200)
	for _, key := range []string{"", "a", "a/b-c_d.e", "a b", "é", "a\n", "\x00", long, long + "x", "\u212a"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		err := store.CheckKey(key)
		if (err == nil) != good.MatchString(key) || err != nil && !errors.Is(err, store.ErrInvalidKey) {
			t.Fatalf("CheckKey(%q): %v", key, err)
		}
	})
}

// TestMemoryModel compares Memory with a plain map over random sequences of calls.
func TestMemoryModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		memory := store.NewMemory()
		model := make(map[string]store.Record)
		dead := []store.Version{0, 1 << 40}
		names := rapid.SampledFrom([]string{"a", "A", "a/b", "a/c", "ab", "b", "b/"})
		version := func(t *rapid.T, key string) store.Version {
			if r, ok := model[key]; ok && rapid.IntRange(0, 3).Draw(t, "right") > 0 {
				return r.Version
			}
			return rapid.SampledFrom(dead).Draw(t, "version")
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				key := names.Draw(t, "key")
				r := store.Record{Value: rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "value"), Version: version(t, key)}
				if rapid.Bool().Draw(t, "expires") {
					r.ExpiresAt = time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "at"), 0)
				}
				v, err := memory.Put(ctx, key, r)
				if model[key].Version != r.Version {
					if !errors.Is(err, store.ErrConflict) || v != 0 {
						t.Fatalf("Put at %d over %d: version %d, error %v", r.Version, model[key].Version, v, err)
					}
					return
				}
				if err != nil || v == 0 || slices.Contains(dead, v) {
					t.Fatalf("Put: version %d, error %v", v, err)
				}
				dead = append(dead, v)
				r.Version = v
				model[key] = r
			},
			"delete": func(t *rapid.T) {
				key := names.Draw(t, "key")
				v := version(t, key)
				err := memory.Delete(ctx, key, v)
				if r, ok := model[key]; !ok || r.Version != v {
					if !errors.Is(err, store.ErrConflict) {
						t.Fatalf("Delete: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatalf("Delete: %v", err)
				}
				delete(model, key)
			},
			"list": func(t *rapid.T) {
				prefix := rapid.SampledFrom([]string{"", "a", "a/", "b", "c"}).Draw(t, "prefix")
				after := rapid.SampledFrom([]string{"", "A", "a", "a/b", "ab", "z"}).Draw(t, "after")
				var want, got []string
				for key := range model {
					if strings.HasPrefix(key, prefix) && key > after {
						want = append(want, key)
					}
				}
				slices.Sort(want)
				for item, err := range memory.List(ctx, prefix, after) {
					if err != nil || item.Version != model[item.Key].Version {
						t.Fatalf("List: %+v, error %v", item, err)
					}
					got = append(got, item.Key)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("List: %q, want %q", got, want)
				}
			},
			"": func(t *rapid.T) {
				for _, key := range []string{"a", "A", "a/b", "a/c", "ab", "b", "b/"} {
					r, err := memory.Get(ctx, key)
					want, ok := model[key]
					if ok != (err == nil) || !ok && !errors.Is(err, store.ErrNotFound) {
						t.Fatalf("Get %q: error %v, in the model: %t", key, err, ok)
					}
					if r.Version != want.Version || string(r.Value) != string(want.Value) || !r.ExpiresAt.Equal(want.ExpiresAt) {
						t.Fatalf("Get %q: %+v, want %+v", key, r, want)
					}
				}
			},
		})
	})
}

// TestKindModel compares a kind, over a store that fails at times, with a plain map. After an error that leaves open what
// happened, the model has two states until the next look; no others are allowed.
func TestKindModel(t *testing.T) {
	t.Parallel()
	const none = -1
	keys := []store.Key{{Subject: rossi}, {Subject: rossi, ID: "1"}, {Subject: bianchi}, {ID: "1"}}
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		c := newClock()
		faults := storetest.NewFaults(store.NewMemory())
		v := newVault(t, faults.Store(), sealing(t, "k2", "k1"), &store.Options{Now: c.Now, Grace: time.Minute})
		k := kindOf[account](t, v, "account")
		type state struct {
			n       int
			expires time.Time
		}
		model := make(map[store.Key][]state) // the states that a record may be in
		for _, key := range keys {
			model[key] = []state{{n: none}}
		}
		now := func(s state) state { // a state as it counts at this time
			if !s.expires.IsZero() && !s.expires.After(c.Now()) {
				return state{n: none}
			}
			return s
		}
		// look reads a record without faults and narrows the model to what is there.
		look := func(t *rapid.T, key store.Key) (store.Entry[account], state) {
			e, err := k.Get(ctx, key)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("Get: %v", err)
			}
			got := state{n: none}
			if err == nil {
				got = state{e.Value.N, e.ExpiresAt}
			}
			for _, s := range model[key] {
				if s = now(s); s.n == got.n && s.expires.Equal(got.expires) {
					model[key] = []state{s}
					return e, s
				}
			}
			t.Fatalf("%v is %+v, want one of %+v", key, got, model[key])
			return e, got
		}
		// write runs a write on which a fault may fall, and tells the model.
		write := func(t *rapid.T, key store.Key, to func(state) state, do func() error) {
			_, old := look(t, key)
			next := to(old)
			outcome := storetest.Outcome(rapid.IntRange(0, 3).Draw(t, "fault"))
			if outcome != 0 {
				faults.FailAt(rapid.IntRange(1, 3).Draw(t, "at"), outcome)
			}
			err := do()
			failed := errors.Is(err, storetest.ErrInjected)
			faults.Deliver(ctx)
			faults.Reset()
			switch {
			case err == nil:
				model[key] = []state{next}
			case failed:
				model[key] = []state{old, next}
			default:
				t.Fatalf("write: %v", err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"update": func(t *rapid.T) {
				key := rapid.SampledFrom(keys).Draw(t, "key")
				var expires time.Time
				if rapid.Bool().Draw(t, "expires") {
					expires = c.Now().Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "ttl")) * time.Second)
				}
				write(t, key, func(s state) state { return state{max(s.n, 0) + 1, expires} }, func() error {
					_, err := k.Update(ctx, key, func(e *store.Entry[account]) error {
						e.Value.N++
						e.ExpiresAt = expires
						return nil
					})
					return err
				})
			},
			"drop": func(t *rapid.T) {
				key := rapid.SampledFrom(keys).Draw(t, "key")
				write(t, key, func(state) state { return state{n: none} }, func() error {
					_, err := k.Update(ctx, key, func(e *store.Entry[account]) error { e.Drop = true; return nil })
					return err
				})
			},
			"put": func(t *rapid.T) {
				key := rapid.SampledFrom(keys).Draw(t, "key")
				n := rapid.IntRange(0, 1000).Draw(t, "n")
				e, s := look(t, key)
				write(t, key, func(state) state { return state{n, s.expires} }, func() error {
					e.Value.N = n
					return k.Put(ctx, &e)
				})
			},
			"purge": func(t *rapid.T) {
				if _, err := v.Purge(ctx, store.Pass{Max: 100}); err != nil {
					t.Fatalf("Purge: %v", err)
				}
			},
			"reseal": func(t *rapid.T) {
				if _, err := v.Reseal(ctx, store.Pass{}); err != nil {
					t.Fatalf("Reseal: %v", err)
				}
			},
			"wait": func(t *rapid.T) { c.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second) },
			"all": func(t *rapid.T) {
				found := make(map[store.Key]bool)
				for e, err := range k.All(ctx) {
					if err != nil || found[e.Key] {
						t.Fatalf("All: %v twice, or error %v", e.Key, err)
					}
					found[e.Key] = true
				}
				for _, key := range keys {
					if _, s := look(t, key); found[key] != (s.n != none) {
						t.Fatalf("All yields %v: %t, and it is %+v", key, found[key], s)
					}
				}
			},
			"": func(t *rapid.T) {
				key := rapid.SampledFrom(keys).Draw(t, "looked at")
				look(t, key)
			},
		})
	})
}
