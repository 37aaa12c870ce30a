package store_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	cuts "github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestNewKindRefuses(t *testing.T) {
	v := newVault(t, store.NewMemory(), sealing(t, "k1"), nil)
	for _, name := range []string{"", "a/b", "/", "a b", "é", "a\x00", strings.Repeat("x", 65)} {
		_, err := store.NewKind[account](v, name)
		assert.Error(t, err, "%q", name)
	}
	_, err := store.NewKind[account](nil, "account")
	require.Error(t, err)
	k, err := store.NewKind[account](v, strings.Repeat("x", 64))
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat("x", 64), k.Name())
	put(t, k, store.Key{Subject: rossi}, account{N: 1}) // the longest name still makes a storage key

	// What holds a Secret would be stored as "[redacted]", wherever in the type it is.
	refused := func(_ any, err error) { t.Helper(); assert.ErrorContains(t, err, "holds a civicpin.Secret") }
	refused(store.NewKind[civicpin.Secret](v, "secret"))
	refused(store.NewKind[struct{ S *civicpin.Secret }](v, "secret"))
	refused(store.NewKind[[]struct{ S [2]civicpin.Secret }](v, "secret"))
	refused(store.NewKind[map[string]civicpin.Secret](v, "secret"))
}

func TestGetPutDelete(t *testing.T) {
	k := accounts(t, store.NewMemory())
	key := store.Key{Subject: rossi, ID: "x"}
	e, err := k.Get(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound)
	assert.False(t, e.Found())
	assert.Equal(t, key, e.Key)
	twin := e

	e.Value = account{N: 1, Note: "à\x7f\n\u2028<>&"}
	require.NoError(t, k.Put(t.Context(), &e))
	assert.True(t, e.Found())
	require.ErrorIs(t, k.Put(t.Context(), &twin), store.ErrConflict)

	got, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	assert.True(t, got.Found())
	assert.Equal(t, e.Value, got.Value)
	assert.Equal(t, key, got.Key)
	assert.True(t, got.ExpiresAt.IsZero())

	// An entry follows its own writes, and no others.
	e.Value.N = 2
	require.NoError(t, k.Put(t.Context(), &e))
	require.ErrorIs(t, k.Put(t.Context(), &got), store.ErrConflict)
	require.ErrorIs(t, k.Delete(t.Context(), &got), store.ErrConflict)
	require.NoError(t, k.Delete(t.Context(), &e))
	assert.False(t, e.Found())
	_, err = k.Get(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, k.Put(t.Context(), &e), "created anew")

	// The zero key is a caller's mistake, and no record that is not there.
	_, err = k.Get(t.Context(), store.Key{})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = k.Update(t.Context(), store.Key{}, func(*store.Entry[account]) error { t.Error("called"); return nil })
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

func TestUpdate(t *testing.T) {
	memory := store.NewMemory()
	k := accounts(t, memory)
	key := store.Key{Subject: rossi}
	e, err := k.Update(t.Context(), key, func(e *store.Entry[account]) error {
		assert.False(t, e.Found())
		assert.Equal(t, key, e.Key)
		return store.ErrSkip
	})
	require.NoError(t, err)
	assert.False(t, e.Found())
	assert.Empty(t, raw(t, memory))

	e, err = k.Update(t.Context(), key, add(3))
	require.NoError(t, err)
	assert.True(t, e.Found())
	assert.Equal(t, 3, e.Value.N)
	before := raw(t, memory)

	own := errors.New("own")
	for name, c := range map[string]struct{ give, want error }{
		"skip":         {store.ErrSkip, nil},
		"wrapped skip": {fmt.Errorf("why: %w", store.ErrSkip), nil},
		"own error":    {own, own},
		"conflict":     {store.ErrConflict, store.ErrConflict},
	} {
		calls := 0
		e, err := k.Update(t.Context(), key, func(e *store.Entry[account]) error {
			calls++
			e.Value.N = 1000
			return c.give
		})
		require.ErrorIs(t, err, c.want, name)
		assert.Equal(t, 1, calls, name)
		assert.Equal(t, 1000, e.Value.N, "%s: the entry as change left it", name)
		assert.Equal(t, before, raw(t, memory), name)
	}

	e, err = k.Update(t.Context(), key, func(e *store.Entry[account]) error { e.Drop = true; return nil })
	require.NoError(t, err)
	assert.False(t, e.Found())
	assert.False(t, e.Drop)
	assert.Empty(t, raw(t, memory))
	_, err = k.Update(t.Context(), key, func(e *store.Entry[account]) error { e.Drop = true; return nil })
	require.NoError(t, err, "dropping what is not there")
}

// TestUpdateContention has 64 goroutines count on one record. Each of 3200 increments arrives, once.
func TestUpdateContention(t *testing.T) {
	t.Parallel()
	const workers, each = 64, 50
	k := accounts(t, store.NewMemory())
	key := store.Key{Subject: rossi}
	errs := make(chan error, workers)
	for range workers {
		go func() {
			var err error
			for range each {
				_, e := k.Update(t.Context(), key, add(1))
				err = errors.Join(err, e)
			}
			errs <- err
		}()
	}
	for range workers {
		require.NoError(t, <-errs)
	}
	e, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, workers*each, e.Value.N)
}

// TestUpdateLosesOnce lets another writer in between reading and writing: the change is done again on the new state.
func TestUpdateLosesOnce(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := accounts(t, faults.Store())
	key := store.Key{Subject: rossi}
	put(t, k, key, account{N: 1})
	for _, drop := range []bool{false, true} {
		var seen []int
		e, err := k.Update(t.Context(), key, func(e *store.Entry[account]) error {
			if seen = append(seen, e.Value.N); len(seen) == 1 {
				_, err := k.Update(t.Context(), key, add(10))
				require.NoError(t, err)
			}
			e.Value.N++
			e.Drop = drop
			return nil
		})
		require.NoError(t, err)
		require.Len(t, seen, 2)
		assert.Equal(t, seen[0]+10, seen[1])
		assert.Equal(t, !drop, e.Found())
	}
}

// TestUpdateFrom saves the read, and reads again when what it was given is out of date.
func TestUpdateFrom(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := accounts(t, faults.Store())
	put(t, k, store.Key{Subject: rossi}, account{N: 1})
	e, err := k.Get(t.Context(), store.Key{Subject: rossi})
	require.NoError(t, err)
	// The second time e is old: Put asks whose record is there, and then it is read anew.
	for i, c := range []struct{ gets, calls, n int }{{0, 1, 2}, {2, 2, 3}} {
		faults.Reset()
		calls := 0
		got, err := k.UpdateFrom(t.Context(), e, func(e *store.Entry[account]) error { calls++; return add(1)(e) })
		require.NoError(t, err)
		assert.Equal(t, c, struct{ gets, calls, n int }{faults.Calls(storetest.Get), calls, got.Value.N}, i)
	}
	stranger, err := k.Get(t.Context(), store.Key{Subject: bianchi})
	require.ErrorIs(t, err, store.ErrNotFound)
	got, err := k.UpdateFrom(t.Context(), stranger, add(5))
	require.NoError(t, err)
	assert.Equal(t, 5, got.Value.N)

	// When the second reading fails, nobody is told that it was a conflict.
	faults.FailAt(2, storetest.NotDone, storetest.Get)
	_, err = k.UpdateFrom(t.Context(), e, add(1))
	require.ErrorIs(t, err, storetest.ErrInjected)
	require.NotErrorIs(t, err, store.ErrConflict)
}

// conflicts is a store that always says so.
type conflicts struct{ store.Store }

func (c conflicts) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if key == canaryKey {
		return c.Store.Put(ctx, key, r)
	}
	return 0, store.ErrConflict
}

func TestUpdateGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := accounts(t, conflicts{store.NewMemory()})
		calls := 0
		began := time.Now()
		_, err := k.Update(t.Context(), store.Key{Subject: rossi}, func(*store.Entry[account]) error { calls++; return nil })
		require.ErrorIs(t, err, store.ErrContended)
		assert.Equal(t, 200, calls)
		assert.Less(t, time.Since(began), 4*time.Second)

		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began = time.Now()
		_, err = k.Update(ctx, store.Key{Subject: rossi}, add(1))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 50*time.Millisecond, time.Since(began), "no wait outlives the context")
	})
}

func TestContextDone(t *testing.T) {
	memory := store.NewMemory()
	k := accounts(t, memory)
	key := store.Key{Subject: rossi}
	put(t, k, key, account{N: 1})
	e, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = k.Get(ctx, key)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, k.Put(ctx, &e), context.Canceled)
	require.ErrorIs(t, k.Delete(ctx, &e), context.Canceled)
	called := false
	_, err = k.Update(ctx, key, func(*store.Entry[account]) error { called = true; return nil })
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, called)
	for _, err := range k.All(ctx) {
		require.ErrorIs(t, err, context.Canceled)
	}
	got, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, 1, got.Value.N)
}

// TestExpiry: a record counts until its own expiry by the vault's clock; the engine is told a later time.
func TestExpiry(t *testing.T) {
	memory, c := store.NewMemory(), newClock()
	v := newVault(t, memory, sealing(t, "k1"), &store.Options{Now: c.Now, Grace: 90 * time.Second})
	k := kindOf[account](t, v, "account")
	key := store.Key{Subject: rossi}
	expires := c.Now().Add(time.Minute + 123_456_789)
	_, err := k.Update(t.Context(), key, func(e *store.Entry[account]) error {
		e.Value.N, e.ExpiresAt = 5, expires
		return nil
	})
	require.NoError(t, err)
	items := raw(t, memory)
	require.Len(t, items, 1)
	assert.True(t, expires.Add(90*time.Second).Equal(items[0].ExpiresAt))

	e, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	assert.True(t, expires.Equal(e.ExpiresAt), "to the nanosecond")
	c.Add(expires.Sub(c.Now()) - 1)
	_, err = k.Get(t.Context(), key)
	require.NoError(t, err, "a nanosecond before")
	c.Add(1)
	e, err = k.Get(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound, "at that instant")
	assert.Zero(t, e.Value, "nothing of an expired record is shown")
	assert.True(t, e.ExpiresAt.IsZero())
	for range k.All(t.Context()) {
		t.Error("All yields an expired record")
	}

	// It is in nobody's way, though the engine still has it.
	require.Len(t, raw(t, memory), 1)
	stale := e
	e.Value.N = 1
	require.NoError(t, k.Put(t.Context(), &e))
	require.ErrorIs(t, k.Put(t.Context(), &stale), store.ErrConflict, "one of two who saw it expired")
	e, err = k.Update(t.Context(), key, add(1))
	require.NoError(t, err)
	assert.Equal(t, 2, e.Value.N)
	assert.True(t, raw(t, memory)[0].ExpiresAt.IsZero())

	// The clock may go back.
	e.ExpiresAt = c.Now().Add(time.Second)
	require.NoError(t, k.Put(t.Context(), &e))
	c.Add(time.Second)
	_, err = k.Get(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound)
	c.Add(-time.Nanosecond)
	e, err = k.Get(t.Context(), key)
	require.NoError(t, err)

	// An entry that expired since it was read begins anew.
	c.Add(time.Nanosecond)
	e, err = k.UpdateFrom(t.Context(), e, func(e *store.Entry[account]) error {
		assert.False(t, e.Found())
		assert.Zero(t, e.Value)
		e.Value.N = 9
		return nil
	})
	require.NoError(t, err)
	assert.True(t, e.ExpiresAt.IsZero())
}

// TestUnstorable: what could not be read back, or would be read as something else, is refused and leaves nothing.
func TestUnstorable(t *testing.T) {
	memory := store.NewMemory()
	k := accounts(t, memory)
	for name, e := range map[string]store.Entry[account]{
		"subject not UTF-8": {Key: store.Key{Subject: "\xff"}},
		"id not UTF-8":      {Key: store.Key{Subject: rossi, ID: "\xc3("}},
		"expires in 1970":   {Key: store.Key{Subject: rossi}, ExpiresAt: time.Unix(0, 0)}, // zero would mean never
		"expires in 9999":   {Key: store.Key{Subject: rossi}, ExpiresAt: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
		"expires in 1600":   {Key: store.Key{Subject: rossi}, ExpiresAt: time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		require.ErrorIs(t, k.Put(t.Context(), &e), civicpin.ErrInvalid, name)
		assert.False(t, e.Found(), name)
	}
	// Sealed, the note is over 256 KiB; one of 255 KiB fits.
	e := store.Entry[account]{Key: store.Key{Subject: rossi}, Value: account{Note: strings.Repeat("x", 256<<10)}}
	require.ErrorContains(t, k.Put(t.Context(), &e), "limit")
	_, err := k.Update(t.Context(), e.Key, func(n *store.Entry[account]) error { n.Value = e.Value; return nil })
	require.ErrorContains(t, err, "limit")
	functions := kindOf[func()](t, newVault(t, memory, sealing(t, "k1"), nil), "functions")
	require.Error(t, functions.Put(t.Context(), &store.Entry[func()]{Key: store.Key{Subject: rossi}}))
	assert.Empty(t, raw(t, memory))
	e.Value.Note = e.Value.Note[:255<<10]
	require.NoError(t, k.Put(t.Context(), &e))
	got, err := k.Get(t.Context(), e.Key)
	require.NoError(t, err)
	assert.Equal(t, e.Value, got.Value)
}

func TestAll(t *testing.T) {
	memory := store.NewMemory()
	v := newVault(t, memory, sealing(t, "k1"), nil)
	k, other := kindOf[account](t, v, "account"), kindOf[account](t, v, "account2")
	want := make(map[store.Key]int)
	for i := range 7 {
		key := store.Key{Subject: rossi, ID: fmt.Sprint(i)}
		put(t, k, key, account{N: i})
		put(t, other, key, account{N: -1})
		want[key] = i
	}
	got := make(map[store.Key]int)
	for e, err := range k.All(t.Context()) {
		require.NoError(t, err)
		assert.True(t, e.Found())
		got[e.Key] = e.Value.N
		e.Value.N++ // an entry of a listing can be written
		require.NoError(t, k.Put(t.Context(), &e))
	}
	assert.Equal(t, want, got)

	// One unreadable record does not hide the others.
	bad := raw(t, memory)[3]
	bad.Value = []byte("rubbish")
	_, err := memory.Put(t.Context(), bad.Key, bad.Record)
	require.NoError(t, err)
	good, unreadable := 0, 0
	for _, err := range k.All(t.Context()) {
		if err != nil {
			require.ErrorIs(t, err, store.ErrUnreadable)
			unreadable++
			continue
		}
		good++
	}
	assert.Equal(t, 6, good)
	assert.Equal(t, 1, unreadable)
	for range k.All(t.Context()) {
		break
	}
}

func TestGetOrOpensAlike(t *testing.T) {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	count := &countingSealer{Sealer: sealer}
	keys := store.Keys{
		Index: civicpin.NewSecret("0123456789abcdef0123456789abcdef"), Sealing: []store.SealingKey{{ID: "k", Sealer: count}},
	}
	v, err := store.OpenVault(t.Context(), store.NewMemory(), keys, nil)
	require.NoError(t, err)
	kind, err := store.NewKind[map[string]string](v, "things")
	require.NoError(t, err)
	decoy, err := kind.Decoy(t.Context(), map[string]string{"a": "b"})
	require.NoError(t, err)
	e := store.Entry[map[string]string]{Key: store.Key{Subject: "there"}, Value: map[string]string{"c": "d"}}
	require.NoError(t, kind.Put(t.Context(), &e))

	for _, subject := range []civicpin.Subject{"there", "not there"} {
		count.opened = 0
		e, err := kind.GetOr(t.Context(), store.Key{Subject: subject}, decoy)
		require.Equal(t, 1, count.opened, subject)
		if subject == "there" {
			require.NoError(t, err)
			require.Equal(t, "d", e.Value["c"])
			continue
		}
		require.ErrorIs(t, err, store.ErrNotFound)
		require.False(t, e.Found())
		require.Empty(t, e.Value, "nothing of the decoy comes out")
	}
	_, err = kind.Get(t.Context(), store.Key{Subject: "decoy-0000"})
	require.ErrorIs(t, err, store.ErrNotFound, "it was never stored")
}

// A record that expires is as long as one that does not, and padded records are of one length, which is how GetOr's decoy can
// be as long as they.
func TestRecordsOfOneLength(t *testing.T) {
	m := store.NewMemory()
	v := newVault(t, m, sealing(t, "k1"), nil)
	plain := kindOf[string](t, v, "things")
	length := func(k store.Kind[string], value string, expires time.Time) int {
		t.Helper()
		e := store.Entry[string]{Key: store.Key{ID: "x"}, Value: value, ExpiresAt: expires}
		require.NoError(t, k.Put(t.Context(), &e))
		got, err := plain.Get(t.Context(), e.Key)
		require.NoError(t, err)
		require.Equal(t, value, got.Value)
		require.True(t, expires.Equal(got.ExpiresAt))
		n := 0
		for item, err := range m.List(t.Context(), "", "") {
			require.NoError(t, err)
			n += len(item.Value)
		}
		require.NoError(t, k.Delete(t.Context(), &e))
		return n
	}
	soon := v.Now().Add(time.Hour)
	require.Equal(t, length(plain, "x", time.Time{}), length(plain, "x", soon))
	require.NotEqual(t, length(plain, "x", soon), length(plain, "longer", soon))
	padded := plain.Padded(256)
	short, all := length(padded, "x", soon), make(map[int]bool)
	require.Equal(t, short, length(padded, "longer", time.Time{}))
	for i := range 600 { // at whatever length it begins
		all[length(padded, strings.Repeat("x", i), soon)-short] = true
	}
	require.Equal(t, map[int]bool{0: true, 256: true, 512: true}, all)
}

// retrying is a driver that loses the answer to each Put, tries again by itself, and passes on what the second try is told:
// "conflict" about its own success.
type retrying struct{ store.Store }

func (r retrying) Put(ctx context.Context, key string, rec store.Record) (store.Version, error) {
	_, _ = r.Store.Put(ctx, key, rec)
	return r.Store.Put(ctx, key, rec)
}

// TestUpdateReplyLost: whatever happens to the answer, the change is applied once or not at all, and an Update without an
// error has applied it.
func TestUpdateReplyLost(t *testing.T) {
	key := store.Key{Subject: rossi}
	for name, c := range map[string]struct {
		arm     func(f *storetest.Faults)
		wrap    func(store.Store) store.Store
		err     error // what Update gives
		applied int   // what is there afterwards
	}{
		"not done": {
			arm: func(f *storetest.Faults) { f.FailAt(1, storetest.NotDone, storetest.Put) },
			err: storetest.ErrInjected, applied: 0,
		},
		"reply lost": {
			arm:     func(f *storetest.Faults) { f.FailAt(1, storetest.ReplyLost, storetest.Put) },
			applied: 1,
		},
		"reply lost, then the store is away": {
			arm: func(f *storetest.Faults) { f.StopAt(1, storetest.ReplyLost, storetest.Put) },
			err: storetest.ErrInjected, applied: 1,
		},
		"done later": {
			arm: func(f *storetest.Faults) { f.FailAt(1, storetest.DoneLater, storetest.Put) },
			err: storetest.ErrInjected, applied: 1,
		},
		"conflict about its own success": {
			arm:     func(*storetest.Faults) {},
			wrap:    func(s store.Store) store.Store { return retrying{s} },
			applied: 1,
		},
		"conflict about its own success, then the store is away": {
			// Calls are Get, Put, Put again, Get.
			arm:  func(f *storetest.Faults) { f.FailAt(4, storetest.NotDone) },
			wrap: func(s store.Store) store.Store { return retrying{s} },
			err:  storetest.ErrInjected, applied: 1,
		},
	} {
		for _, exists := range []bool{false, true} {
			faults := storetest.NewFaults(store.NewMemory())
			clean := accounts(t, faults.Store())
			start := 0
			if exists {
				put(t, clean, key, account{N: 100})
				start = 100
			}
			s := faults.Store()
			if c.wrap != nil {
				s = c.wrap(s)
			}
			k := accounts(t, s)
			faults.Reset()
			c.arm(faults)
			e, err := k.Update(t.Context(), key, add(1))
			if c.err == nil {
				require.NoError(t, err, name)
				assert.True(t, e.Found(), name)
			} else {
				require.ErrorIs(t, err, c.err, name)
				require.NotErrorIs(t, err, store.ErrConflict, name)
			}
			faults.Deliver(t.Context())
			faults.Reset()
			got, err := clean.Get(t.Context(), key)
			if err != nil {
				require.ErrorIs(t, err, store.ErrNotFound, name)
			}
			assert.Equal(t, start+c.applied, got.Value.N, "%s, exists: %t", name, exists)

			// An entry that recognised its own write can be written again.
			if c.err == nil {
				e.Value.N++
				require.NoError(t, clean.Put(t.Context(), &e), name)
			}
		}
	}
}

// TestPutOvertaken: a conflict about a record that somebody else wrote is a conflict.
func TestPutOvertaken(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := accounts(t, faults.Store())
	e, err := k.Get(t.Context(), store.Key{Subject: rossi})
	require.ErrorIs(t, err, store.ErrNotFound)
	put(t, k, e.Key, account{N: 1})
	require.ErrorIs(t, k.Put(t.Context(), &e), store.ErrConflict)

	// Its answer lost, and then replaced: nobody can tell, and so it is neither a success nor a conflict.
	e, err = k.Get(t.Context(), e.Key)
	require.NoError(t, err)
	faults.FailAt(1, storetest.ReplyLost, storetest.Put)
	faults.Hook(func(method, _ string) error {
		if method == storetest.Get {
			faults.Hook(nil)
			put(t, k, e.Key, account{N: 2})
		}
		return nil
	})
	err = k.Put(t.Context(), &e)
	require.ErrorIs(t, err, storetest.ErrInjected)
	require.NotErrorIs(t, err, store.ErrConflict)
}

// plainSealer seals nothing: equal values give equal bytes, as with a deterministic AEAD.
type plainSealer struct{}

func (plainSealer) Seal(_ context.Context, plain, _ []byte) ([]byte, error) {
	return append([]byte{}, plain...), nil
}

func (plainSealer) Open(_ context.Context, sealed, _ []byte) ([]byte, error) {
	return append([]byte{}, sealed...), nil
}

// TestOneWinnerUnderAnySealer: two who write the same value have not both won, whatever the sealer makes of it.
func TestOneWinnerUnderAnySealer(t *testing.T) {
	keys := sealing(t, "k1")
	keys.Sealing[0].Sealer = plainSealer{}
	k := kindOf[account](t, newVault(t, store.NewMemory(), keys, nil), "account")
	one, err := k.Get(t.Context(), store.Key{Subject: rossi})
	require.ErrorIs(t, err, store.ErrNotFound)
	two := one
	require.NoError(t, k.Put(t.Context(), &one))
	require.ErrorIs(t, k.Put(t.Context(), &two), store.ErrConflict)
}

func TestDeleteReplyLost(t *testing.T) {
	key := store.Key{Subject: rossi}
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
		faults := storetest.NewFaults(store.NewMemory())
		k := accounts(t, faults.Store())
		put(t, k, key, account{N: 1})
		faults.FailAt(1, outcome, storetest.Delete)
		e, err := k.Get(t.Context(), key)
		require.NoError(t, err)
		err = k.Delete(t.Context(), &e)
		require.ErrorIs(t, err, storetest.ErrInjected)
		require.NotErrorIs(t, err, store.ErrConflict)
		assert.True(t, e.Found(), "as far as the entry knows")
		_, err = k.Get(t.Context(), key)
		assert.Equal(t, outcome == storetest.ReplyLost, errors.Is(err, store.ErrNotFound))
	}
}

// TestCorrected: what a read corrects is written at once, so that a span from now ends; walks show it, too. If the write fails,
// the next read does it.
func TestCorrected(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	plain := accounts(t, faults.Store())
	key := store.Key{Subject: rossi}
	put(t, plain, key, account{N: 7})
	k := plain.Corrected(func(e *store.Entry[account], now time.Time) bool {
		if e.Value.N <= 5 {
			return false
		}
		e.Value.N, e.ExpiresAt = 5, now.Add(time.Hour)
		return true
	})
	faults.FailAt(1, storetest.NotDone, storetest.Put)
	got, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, 5, got.Value.N)
	got, err = plain.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, 7, got.Value.N, "the write failed")
	for e, err := range k.All(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, 5, e.Value.N)
	}
	_, err = k.Walk(t.Context(), store.Pass{}, func(e store.Entry[account]) error {
		require.Equal(t, 5, e.Value.N)
		return nil
	})
	require.NoError(t, err)
	faults.Reset()
	_, err = k.Update(t.Context(), key, func(e *store.Entry[account]) error {
		require.Equal(t, 5, e.Value.N)
		return store.ErrSkip
	})
	require.NoError(t, err)
	got, err = plain.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, 5, got.Value.N)
	require.False(t, got.ExpiresAt.IsZero())
	faults.Reset()
	_, err = k.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, 1, faults.Calls(), "once")
}

// TestCorrectedBySlowClock: what a process whose clock is slow cuts, for itself alone, is written as it was by its updates, and
// the record stays as long. What it sets itself stands.
func TestCorrectedBySlowClock(t *testing.T) {
	type right struct {
		Expires time.Time
		N       int
	}
	s, clock := store.NewMemory(), newClock()
	kind := func(now func() time.Time) store.Kind[right] {
		k := kindOf[right](t, newVault(t, s, sealing(t, "k1"), &store.Options{Now: now}), "right")
		return k.Corrected(cuts.Within[store.Entry[right]](map[string]time.Duration{"Expires": time.Hour}, "Expires"))
	}
	k, slow := kind(clock.Now), kind(func() time.Time { return clock.Now().Add(-23 * time.Hour) })
	key, ends := store.Key{Subject: rossi}, clock.Now().Add(time.Hour)
	update := func(k store.Kind[right], act func(e *store.Entry[right])) right {
		e, err := k.Update(t.Context(), key, func(e *store.Entry[right]) error {
			act(e)
			e.Value.N++
			e.ExpiresAt = e.Value.Expires.Add(time.Minute)
			return nil
		})
		require.NoError(t, err)
		return e.Value
	}
	update(k, func(e *store.Entry[right]) { e.Value.Expires = ends })
	for range 2 {
		e := update(slow, func(*store.Entry[right]) {})
		require.True(t, e.Expires.Before(ends), "for itself")
	}
	e, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, right{Expires: ends, N: 3}, e.Value)
	require.Equal(t, ends.Add(time.Minute), e.ExpiresAt.UTC())
	set := clock.Now().Add(time.Minute)
	update(slow, func(e *store.Entry[right]) { e.Value.Expires = set })
	e, err = k.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, set, e.Value.Expires)
}

// overwrite puts a value under a storage key without regard to what is there, as who can write to the table does.
func overwrite(t testing.TB, s store.Store, key string, value []byte) {
	t.Helper()
	old, err := s.Get(context.Background(), key)
	if err != nil {
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	_, err = s.Put(context.Background(), key, store.Record{Value: value, Version: old.Version})
	require.NoError(t, err)
}

// unreadable checks every way to a record.
func unreadable(t *testing.T, k store.Kind[account], key store.Key, what string) {
	t.Helper()
	e, err := k.Get(t.Context(), key)
	require.ErrorIs(t, err, store.ErrUnreadable, what)
	require.NotErrorIs(t, err, store.ErrNotFound, what)
	require.False(t, e.Found(), what)
	require.Zero(t, e.Value, what)
	_, err = k.Update(t.Context(), key, func(*store.Entry[account]) error {
		t.Errorf("%s: Update works on an unreadable record", what)
		return nil
	})
	require.ErrorIs(t, err, store.ErrUnreadable, what)
	for e, err := range k.All(t.Context()) {
		if err == nil {
			require.NotEqual(t, key, e.Key, what)
		} else {
			require.ErrorIs(t, err, store.ErrUnreadable, what)
		}
	}
}

// TestEveryBitCounts flips each bit of a sealed record, cuts it at each length, and lets it grow.
func TestEveryBitCounts(t *testing.T) {
	t.Parallel()
	memory := store.NewMemory()
	k := accounts(t, memory)
	key := store.Key{Subject: rossi, ID: "x"}
	put(t, k, key, account{N: 1, Note: "n"})
	item := raw(t, memory)[0]
	for i := range item.Value {
		for bit := range 8 {
			bad := slices.Clone(item.Value)
			bad[i] ^= 1 << bit
			overwrite(t, memory, item.Key, bad)
			unreadable(t, k, key, fmt.Sprintf("bit %d of byte %d", bit, i))
		}
		overwrite(t, memory, item.Key, item.Value[:i])
		unreadable(t, k, key, fmt.Sprintf("cut to %d bytes", i))
	}
	for _, more := range []string{"\x00", "x", string(item.Value)} {
		overwrite(t, memory, item.Key, append(slices.Clone(item.Value), more...))
		unreadable(t, k, key, "longer")
	}
	overwrite(t, memory, item.Key, item.Value)
	e, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, account{N: 1, Note: "n"}, e.Value)
}

// TestRowsCannotBeMoved puts each sealed value in each other's place: between subjects, ids, kinds and vaults.
func TestRowsCannotBeMoved(t *testing.T) {
	memory := store.NewMemory()
	v := newVault(t, memory, sealing(t, "k1"), nil)
	type place struct {
		kind  store.Kind[account]
		key   store.Key
		row   string
		value []byte
	}
	var places []place
	for _, name := range []string{"account", "Account", "account2"} {
		for _, key := range []store.Key{
			{Subject: rossi}, {Subject: bianchi}, {ID: string(rossi)}, {Subject: rossi, ID: "1"}, {Subject: rossi, ID: "2"},
		} {
			before := raw(t, memory)
			k := kindOf[account](t, v, name)
			put(t, k, key, account{N: len(places)})
			for _, item := range raw(t, memory) {
				if !slices.ContainsFunc(before, func(b store.Item) bool { return b.Key == item.Key }) {
					places = append(places, place{k, key, item.Key, item.Value})
				}
			}
		}
	}
	require.Len(t, places, 15)
	for i, to := range places {
		for j, from := range places {
			overwrite(t, memory, to.row, from.value)
			if i != j {
				what := fmt.Sprintf("%s %+v in the place of %s %+v", from.kind.Name(), from.key, to.kind.Name(), to.key)
				unreadable(t, to.kind, to.key, what)
			}
		}
		overwrite(t, memory, to.row, to.value)
	}
	for i, p := range places {
		e, err := p.kind.Get(t.Context(), p.key)
		require.NoError(t, err)
		assert.Equal(t, i, e.Value.N)
	}
}

// TestBoundByTheEnvelope: under a sealer that binds nothing, a moved row still names whose it is.
func TestBoundByTheEnvelope(t *testing.T) {
	memory := store.NewMemory()
	keys := sealing(t, "k1")
	keys.Sealing[0].Sealer = plainSealer{}
	k := kindOf[account](t, newVault(t, memory, keys, nil), "account")
	put(t, k, store.Key{Subject: rossi}, account{N: 1})
	moved := raw(t, memory)[0]
	put(t, k, store.Key{Subject: bianchi}, account{N: 2})
	for _, item := range raw(t, memory) {
		overwrite(t, memory, item.Key, moved.Value)
	}
	unreadable(t, k, store.Key{Subject: bianchi}, "rossi's record")
	_, err := k.Get(t.Context(), store.Key{Subject: rossi})
	require.NoError(t, err)
}

// TestUnknownField: an older program never drops what a newer one stored.
func TestUnknownField(t *testing.T) {
	memory := store.NewMemory()
	v := newVault(t, memory, sealing(t, "k1"), nil)
	type newer struct {
		account
		Added int
	}
	wide := kindOf[newer](t, v, "account")
	e := store.Entry[newer]{Key: store.Key{Subject: rossi}}
	require.NoError(t, wide.Put(t.Context(), &e))
	unreadable(t, kindOf[account](t, v, "account"), store.Key{Subject: rossi}, "an unknown field")
	_, err := kindOf[[]int](t, v, "account").Get(t.Context(), store.Key{Subject: rossi})
	require.ErrorIs(t, err, store.ErrUnreadable, "another type")

	// The other way round is an upgrade.
	put(t, kindOf[account](t, v, "account"), store.Key{Subject: bianchi}, account{N: 3})
	e, err = wide.Get(t.Context(), store.Key{Subject: bianchi})
	require.NoError(t, err)
	assert.Equal(t, 3, e.Value.N)
	assert.Zero(t, e.Value.Added)
}

// TestStrictEnvelope seals what no release wrote.
func TestStrictEnvelope(t *testing.T) {
	memory := store.NewMemory()
	keys := sealing(t, "k1")
	keys.Sealing[0].Sealer = plainSealer{}
	k := kindOf[account](t, newVault(t, memory, keys, nil), "account")
	key := store.Key{Subject: rossi}
	put(t, k, key, account{})
	row := raw(t, memory)[0].Key
	const head = "\x01\x02k1"
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"s":"RSSMRA85T10A562S"}`, `{"s":"RSSMRA85T10A562S","v":}`, `{"s":"RSSMRA85T10A562S","v":[]}`,
		`{"s":"RSSMRA85T10A562S","v":{}}{}`, `{"s":"RSSMRA85T10A562S","v":{}} x`, `{"s":"RSSMRA85T10A562S","v":{},"y":1}`,
		`{"s":"RSSMRA85T10A562S","v":{"N":1.5}}`, `{"s":"RSSMRA85T10A562S","v":{"X":1}}`, `{"s":"RSSMRA85T10A562","v":{}}`,
		`{"s":"RSSMRA85T10A562S","i":"x","v":{}}`, `{"s":"RSSMRA85T10A562S","x":"1","v":{}}`,
		`{"s":"RSSMRA85T10A562S","x":9223372036854775808,"v":{}}`,
	} {
		overwrite(t, memory, row, []byte(head+text))
		unreadable(t, k, key, text)
	}
	overwrite(t, memory, row, []byte(head+`{"s":"RSSMRA85T10A562S","v":{"N":7}} `))
	e, err := k.Get(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, 7, e.Value.N)
}

// TestStoredFormat1 opens records that a program of format 1 has stored. They stay here, and open, for ever.
func TestStoredFormat1(t *testing.T) {
	for _, c := range []struct{ row, value string }{
		{
			"account/2453eda9d28ebf2c6950de028e23b8aa1dd14eed",
			"AQJrMRPmu+MqwCPf9fNqJZb7pufEZo/qUIWJE1nm7xCibcZhtDFHPTMTc3j1IMjhnNng" +
				"9As59wCQ/eZghNPj/9pUT0oZeDeIncvh3OrE3/8b3eCN0LpbVktZY/LcVZTcOsDj6f0b" +
				"CNI9aNrf8lFIibdoSla/7h5fycKWgom6JOAF8gKuCKXRGRCOzX86V4uHxnkGw1/ztRL4",
		},
		{
			"account/2453eda9d28ebf2c6950de028e23b8aa1dd14eed",
			"AQJrMrckbjZ5A30DOJG1fzyWkuBGvNSWmyWdtD6sGhMa+338tBruZTmDCD+nVigpt8ct" +
				"sK0rwacg+9KhQPEUTcrig63aCJY2+pbdQhisNraL8Mpk1LIDNnlYBrlS5MDt9A1vJ73u" +
				"IF67ymkr8JSKbegtmOjdip5effgUV47kWigAqluLK5bzgqmXu2cjDR6jZCKxLCTYMA3K",
		},
	} {
		memory := store.NewMemory()
		value, err := base64.StdEncoding.DecodeString(c.value)
		require.NoError(t, err)
		overwrite(t, memory, c.row, value)
		k := kindOf[account](t, newVault(t, memory, sealing(t, "k2", "k1"), &store.Options{Now: newClock().Now, Adopt: true}), "account")
		e, err := k.Get(t.Context(), store.Key{Subject: rossi, ID: "x"})
		require.NoError(t, err)
		assert.Equal(t, account{N: 42, Note: "nota è"}, e.Value)
		assert.True(t, time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC).Equal(e.ExpiresAt))
	}
}
