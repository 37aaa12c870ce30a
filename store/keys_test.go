package store_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
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
