package store_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
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
