package store_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/store"
)

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
