package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

const (
	rossi   civicpin.Subject = "RSSMRA85T10A562S"
	bianchi civicpin.Subject = "BNCLRA90A41H501X"
)

// account is what the tests keep.
type account struct {
	N    int
	Note string
}

func newClock() *testkit.Clock {
	return testkit.NewClock(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))
}

// keyBytes are 32 bytes that differ from key to key.
func keyBytes(name string) string {
	return (name + strings.Repeat("\xa7\x31\x9e", 32))[:32]
}

// sealing returns sealing keys under these ids, the first one current.
func sealing(t testing.TB, ids ...string) store.Keys {
	t.Helper()
	keys := store.Keys{Index: civicpin.NewSecret(keyBytes("index"))}
	for _, id := range ids {
		s, err := store.XChaCha20Poly1305(civicpin.NewSecret(keyBytes(id)))
		require.NoError(t, err)
		keys.Sealing = append(keys.Sealing, store.SealingKey{ID: id, Sealer: s})
	}
	return keys
}

func newVault(t testing.TB, s store.Store, keys store.Keys, opts *store.Options) *store.Vault {
	t.Helper()
	v, err := store.OpenVault(t.Context(), s, keys, opts)
	require.NoError(t, err)
	return v
}

// canaryKey is where a vault keeps its canary.
const canaryKey = "vault/canary"

// blind is a store whose canary nobody sees: a vault takes any keys for those of the records.
type blind struct{ store.Store }

func (b blind) Get(ctx context.Context, key string) (store.Record, error) {
	if key == canaryKey {
		return store.Record{}, store.ErrNotFound
	}
	return b.Store.Get(ctx, key)
}

func (b blind) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if key == canaryKey {
		return 1, nil
	}
	return b.Store.Put(ctx, key, r)
}

// adopting are options for a store that cannot list.
var adopting = &store.Options{Adopt: true}

func kindOf[T any](t testing.TB, v *store.Vault, name string) store.Kind[T] {
	t.Helper()
	k, err := store.NewKind[T](v, name)
	require.NoError(t, err)
	return k
}

// accounts is a kind in a vault around s, sealed under k1.
func accounts(t testing.TB, s store.Store) store.Kind[account] {
	t.Helper()
	var opts *store.Options
	if _, lists := s.(store.Lister); !lists {
		opts = adopting
	}
	return kindOf[account](t, newVault(t, s, sealing(t, "k1"), opts), "account")
}

// add is a change that adds to N.
func add(n int) func(*store.Entry[account]) error {
	return func(e *store.Entry[account]) error { e.Value.N += n; return nil }
}

// raw returns what a thief of the table sees.
func raw(t testing.TB, s store.Store) []store.Item {
	t.Helper()
	var items []store.Item
	for item, err := range s.(store.Lister).List(context.Background(), "", "") {
		require.NoError(t, err)
		if item.Key != canaryKey {
			items = append(items, item)
		}
	}
	return items
}

func put(t testing.TB, k store.Kind[account], key store.Key, value account) {
	t.Helper()
	_, err := k.Update(t.Context(), key, func(e *store.Entry[account]) error { e.Value = value; return nil })
	require.NoError(t, err)
}

// putForAnHour makes n accounts that expire in an hour, and one that does not.
func putForAnHour(t testing.TB, k store.Kind[account], c *testkit.Clock, n int) {
	t.Helper()
	for i := range n {
		e := store.Entry[account]{Key: store.Key{ID: fmt.Sprint(i)}, ExpiresAt: c.Now().Add(time.Hour)}
		require.NoError(t, k.Put(t.Context(), &e))
	}
	put(t, k, store.Key{ID: "for ever"}, account{})
}

// reseal and purge run one pass, of at most so many records; zero means all.
func reseal(ctx context.Context, v *store.Vault) (int, error) {
	at, err := v.Reseal(ctx, store.Pass{})
	return at.Changed, err
}

func purge(ctx context.Context, v *store.Vault, most int) (int, error) {
	at, err := v.Purge(ctx, store.Pass{Max: most})
	return at.Changed, err
}

func TestOpenVaultRefuses(t *testing.T) {
	good := sealing(t, "k1", "k2")
	memory := store.NewMemory()
	for name, c := range map[string]struct {
		store store.Store
		keys  store.Keys
		opts  *store.Options
	}{
		"no store":        {nil, good, nil},
		"no keys":         {memory, store.Keys{}, nil},
		"no index key":    {memory, store.Keys{Sealing: good.Sealing}, nil},
		"short index key": {memory, store.Keys{Index: civicpin.NewSecret("short"), Sealing: good.Sealing}, nil},
		"no sealing key":  {memory, store.Keys{Index: good.Index}, nil},
		"no sealer":       {memory, store.Keys{Index: good.Index, Sealing: []store.SealingKey{{ID: "k1"}}}, nil},
		"no id": {
			memory, store.Keys{Index: good.Index, Sealing: []store.SealingKey{{Sealer: good.Sealing[0].Sealer}}}, nil,
		},
		"one id twice": {memory, store.Keys{Index: good.Index, Sealing: append(good.Sealing, good.Sealing[0])}, nil},
		"an id with a slash": {
			memory, store.Keys{Index: good.Index, Sealing: []store.SealingKey{{ID: "a/b", Sealer: good.Sealing[0].Sealer}}}, nil,
		},
		"a long id": {memory, store.Keys{
			Index: good.Index, Sealing: []store.SealingKey{{ID: strings.Repeat("x", 33), Sealer: good.Sealing[0].Sealer}},
		}, nil},
		"negative grace": {memory, good, &store.Options{Grace: -1}},
	} {
		v, err := store.OpenVault(t.Context(), c.store, c.keys, c.opts)
		assert.Error(t, err, name)
		assert.Nil(t, v, name)
	}
}

// TestOptionDefaults pins each default.
func TestOptionDefaults(t *testing.T) {
	memory := store.NewMemory()
	for _, opts := range []*store.Options{nil, {}} {
		v := newVault(t, memory, sealing(t, "k1"), opts)
		assert.WithinDuration(t, time.Now(), v.Now(), time.Minute)
		v.Record(t.Context(), civicpin.Event{}) // to nobody
		k := kindOf[account](t, v, "account")
		e, err := k.Get(t.Context(), store.Key{ID: fmt.Sprint(opts)})
		require.ErrorIs(t, err, store.ErrNotFound)
		e.ExpiresAt = time.Now().Add(time.Minute)
		require.NoError(t, k.Put(t.Context(), &e))
		for _, item := range raw(t, memory) {
			assert.WithinDuration(t, e.ExpiresAt.Add(time.Hour), item.ExpiresAt, time.Minute, "a grace of one hour")
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	c := newClock()
	opts := store.Options{Now: c.Now}
	keys := sealing(t, "k1", "k2")
	v := newVault(t, store.NewMemory(), keys, &opts)
	opts.Now = nil
	keys.Sealing[0], keys.Sealing[1] = keys.Sealing[1], store.SealingKey{}
	assert.Equal(t, c.Now(), v.Now())
	k := kindOf[account](t, v, "account")
	put(t, k, store.Key{Subject: rossi}, account{N: 1})
	_, err := k.Get(t.Context(), store.Key{Subject: rossi})
	assert.NoError(t, err)
}

func TestRecordFillsInTheTime(t *testing.T) {
	c := newClock()
	var log testkit.Recorder
	v := newVault(t, store.NewMemory(), sealing(t, "k1"), &store.Options{Now: c.Now, Recorder: &log})
	v.Record(t.Context(), civicpin.Event{Code: "a"})
	v.Record(t.Context(), civicpin.Event{Code: "b", At: c.Now().Add(-time.Hour)})
	got := log.All()
	require.Len(t, got, 2)
	assert.Equal(t, c.Now(), got[0].At)
	assert.Equal(t, c.Now().Add(-time.Hour), got[1].At)
}

// TestStolenTableTellsNoSubject looks for subjects, ids and values in all that a thief of the table sees.
func TestStolenTableTellsNoSubject(t *testing.T) {
	memory := store.NewMemory()
	k := accounts(t, memory)
	put(t, k, store.Key{Subject: rossi, ID: "mobile-of-rossi"}, account{Note: "the-secret-note"})
	put(t, k, store.Key{Subject: bianchi}, account{Note: "the-secret-note"})
	items := raw(t, memory)
	require.Len(t, items, 2)
	for _, item := range items {
		seen := strings.ToLower(item.Key + string(item.Value))
		for _, secret := range []string{string(rossi), string(bianchi), "mobile-of-rossi", "the-secret-note", "rssmra"} {
			assert.NotContains(t, seen, strings.ToLower(secret))
		}
	}
	assert.NotEqual(t, items[0].Value[4:28], items[1].Value[4:28], "a nonce each")
}

// TestStorageKeys: the parts of a key cannot be shifted into each other, and the key depends on the index key.
func TestStorageKeys(t *testing.T) {
	memory := store.NewMemory()
	keys := sealing(t, "k1")
	other := keys
	other.Index = civicpin.NewSecret(keyBytes("other index"))
	n := 0
	for _, keys := range []store.Keys{keys, other} {
		for _, name := range []string{"a", "ab", "A"} {
			k := kindOf[account](t, newVault(t, blind{memory}, keys, adopting), name)
			for _, key := range []store.Key{
				{Subject: "ab"},
				{ID: "ab"},
				{Subject: "a", ID: "b"},
				{Subject: "b", ID: "a"},
				{Subject: "AB"},
				{Subject: "ab\x00"},
				{Subject: "a", ID: "\x00b"},
				{Subject: "a\x00", ID: "b"},
			} {
				_, err := k.Get(t.Context(), key)
				require.ErrorIs(t, err, store.ErrNotFound)
				put(t, k, key, account{N: n})
				n++
			}
		}
	}
	assert.Len(t, raw(t, memory), n)
	for _, item := range raw(t, memory) {
		assert.NoError(t, store.CheckKey(item.Key))
	}
}

func TestHash(t *testing.T) {
	v := newVault(t, store.NewMemory(), sealing(t, "k1"), nil)
	keys := sealing(t, "k1")
	keys.Index = civicpin.NewSecret(keyBytes("other"))
	other := newVault(t, store.NewMemory(), keys, nil)
	seen := make(map[[32]byte]bool)
	for _, h := range [][32]byte{
		v.Hash("p"), v.Hash("p", ""), v.Hash("p", "", ""), v.Hash("p", "ab"), v.Hash("p", "a", "b"), v.Hash("p", "b", "a"),
		v.Hash("pa", "b"), v.Hash("", "p"), v.Hash("q", "ab"), other.Hash("p", "ab"),
	} {
		assert.False(t, seen[h])
		seen[h] = true
	}
	rotated := newVault(t, store.NewMemory(), sealing(t, "k9"), nil)
	assert.Equal(t, v.Hash("p", "a"), rotated.Hash("p", "a"), "sealing keys do not count")
}

func TestRotation(t *testing.T) {
	memory := store.NewMemory()
	old := accounts(t, memory)
	for i := range 5 {
		put(t, old, store.Key{Subject: rossi, ID: fmt.Sprint(i)}, account{N: i})
	}
	both := newVault(t, memory, sealing(t, "k2", "k1"), nil)
	k := kindOf[account](t, both, "account")
	under := func(id string) (n int) {
		for _, item := range raw(t, memory) {
			if bytes.HasPrefix(item.Value, append([]byte{1, byte(len(id))}, id...)) {
				n++
			}
		}
		return n
	}
	require.Equal(t, 5, under("k1"))

	// Reading leaves a record as it is; writing seals it anew.
	for i := range 5 {
		e, err := k.Get(t.Context(), store.Key{Subject: rossi, ID: fmt.Sprint(i)})
		require.NoError(t, err)
		assert.Equal(t, i, e.Value.N)
	}
	assert.Equal(t, 5, under("k1"))
	_, err := k.Update(t.Context(), store.Key{Subject: rossi, ID: "0"}, add(100))
	require.NoError(t, err)
	assert.Equal(t, 1, under("k2"))

	// The old key alone does not open what the new one sealed; nor the new one alone the rest.
	_, err = old.Get(t.Context(), store.Key{Subject: rossi, ID: "0"})
	require.ErrorIs(t, err, store.ErrUnreadable)
	alone := kindOf[account](t, newVault(t, blind{memory}, sealing(t, "k2"), adopting), "account")
	_, err = alone.Get(t.Context(), store.Key{Subject: rossi, ID: "1"})
	require.ErrorIs(t, err, store.ErrUnreadable)
	assert.NotErrorIs(t, err, store.ErrNotFound)

	n, err := reseal(t.Context(), both)
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	assert.Equal(t, 5, under("k2"))
	n, err = reseal(t.Context(), both)
	require.NoError(t, err)
	assert.Zero(t, n)
	e, err := alone.Get(t.Context(), store.Key{Subject: rossi, ID: "1"})
	require.NoError(t, err)
	assert.Equal(t, account{N: 1}, e.Value)

	// Another key under a known id opens nothing.
	keys := sealing(t, "k2")
	keys.Sealing[0].Sealer = sealing(t, "k3").Sealing[0].Sealer
	wrong := kindOf[account](t, newVault(t, blind{memory}, keys, adopting), "account")
	_, err = wrong.Get(t.Context(), store.Key{Subject: rossi, ID: "1"})
	assert.ErrorIs(t, err, store.ErrUnreadable)
}

// TestResealUnreadable: a record that does not open is left as it is and reported; the others are sealed all the same.
func TestResealUnreadable(t *testing.T) {
	memory := store.NewMemory()
	old := accounts(t, memory)
	c := newClock()
	for i := range 9 {
		e := store.Entry[account]{Key: store.Key{ID: fmt.Sprint(i)}, ExpiresAt: c.Now().Add(time.Hour)}
		require.NoError(t, old.Put(t.Context(), &e))
	}
	before := raw(t, memory)
	bad := before[4]
	bad.Value[len(bad.Value)-1] ^= 1
	_, err := memory.Put(t.Context(), bad.Key, bad.Record)
	require.NoError(t, err)

	both := newVault(t, memory, sealing(t, "k2", "k1"), nil)
	for _, want := range []int{8, 0} {
		n, err := reseal(t.Context(), both)
		require.ErrorIs(t, err, store.ErrUnreadable)
		assert.Equal(t, want, n)
	}
	for i, item := range raw(t, memory) {
		assert.Equal(t, before[i].ExpiresAt, item.ExpiresAt)
		if item.Key == bad.Key {
			assert.Equal(t, bad.Value, item.Value)
		}
	}
}

// TestResealBesideTraffic counts on twenty records while they are sealed anew: no update is lost, and in the end nothing
// needs the old key.
func TestResealBesideTraffic(t *testing.T) {
	t.Parallel()
	const workers, each, records = 8, 60, 20
	memory := store.NewMemory()
	old := accounts(t, memory)
	for i := range records {
		put(t, old, store.Key{ID: fmt.Sprint(i)}, account{})
	}
	both := newVault(t, memory, sealing(t, "k2", "k1"), nil)
	k := kindOf[account](t, both, "account")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if _, err := k.Update(t.Context(), store.Key{ID: fmt.Sprint((w + i) % records)}, add(1)); err != nil {
					t.Errorf("Update beside Reseal: %v", err)
				}
			}
		})
	}
	for range 3 {
		_, err := reseal(t.Context(), both)
		assert.NoError(t, err)
	}
	wg.Wait()
	_, err := reseal(t.Context(), both)
	require.NoError(t, err)
	sum := 0
	for e, err := range kindOf[account](t, newVault(t, memory, sealing(t, "k2"), nil), "account").All(t.Context()) {
		require.NoError(t, err)
		sum += e.Value.N
	}
	assert.Equal(t, workers*each, sum)
}

// TestResealOvertaken holds Reseal up at its Put while somebody else writes the record: theirs stays, and no error is made
// of it.
func TestResealOvertaken(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	old := accounts(t, faults.Store())
	put(t, old, store.Key{Subject: rossi}, account{N: 1})
	both := newVault(t, faults.Store(), sealing(t, "k2", "k1"), nil)
	faults.Hook(func(method, _ string) error {
		if method == storetest.Put {
			faults.Hook(nil)
			put(t, old, store.Key{Subject: rossi}, account{N: 2})
		}
		return nil
	})
	for _, want := range []int{0, 1, 0} {
		n, err := reseal(t.Context(), both)
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
	alone := kindOf[account](t, newVault(t, faults.Store(), sealing(t, "k2"), nil), "account")
	e, err := alone.Get(t.Context(), store.Key{Subject: rossi})
	require.NoError(t, err)
	assert.Equal(t, 2, e.Value.N)
}

// TestResealDies lets the process die at each call of a Reseal; the next run finishes the work.
func TestResealDies(t *testing.T) {
	t.Parallel()
	calls := testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		old := accounts(t, c.Store())
		for i := range 4 {
			put(t, old, store.Key{ID: fmt.Sprint(i)}, account{N: i})
		}
		both := newVault(t, c.Store(), sealing(t, "k2", "k1"), nil)
		err := c.During(t, func() error { return testkit.Err(reseal(t.Context(), both)) })
		if c.Stop && c.Reached() {
			require.ErrorIs(t, err, storetest.ErrInjected)
		}
		for range 2 { // the walk that finds nothing to do has the canary forget the old key
			_, err = reseal(t.Context(), both)
			require.NoError(t, err)
		}
		alone := kindOf[account](t, newVault(t, c.Store(), sealing(t, "k2"), nil), "account")
		for i := range 4 {
			e, err := alone.Get(t.Context(), store.Key{ID: fmt.Sprint(i)})
			require.NoError(t, err)
			require.Equal(t, i, e.Value.N)
		}
	})
	assert.Equal(t, 6, calls, "a Get of the canary, one List and four Puts")
}

func TestPurge(t *testing.T) {
	memory, c := store.NewMemory(), newClock()
	v := newVault(t, memory, sealing(t, "k1"), &store.Options{Now: c.Now, Grace: time.Minute})
	k := kindOf[account](t, v, "account")
	putForAnHour(t, k, c, 10)
	purged := func(most, want, left int) {
		t.Helper()
		n, err := purge(t.Context(), v, most)
		require.NoError(t, err)
		assert.Equal(t, want, n)
		assert.Len(t, raw(t, memory), left)
	}
	purged(100, 0, 11)
	c.Add(time.Hour)
	_, err := k.Get(t.Context(), store.Key{ID: "3"})
	require.ErrorIs(t, err, store.ErrNotFound, "expired by the vault's clock")
	purged(100, 0, 11) // in grace
	c.Add(time.Minute - 1)
	purged(100, 0, 11)
	c.Add(1)
	purged(0, 10, 1)
	purged(0, 0, 1)
}

// TestPurgeSparesTheRenewed holds Purge up at its Delete while the record is renewed.
func TestPurgeSparesTheRenewed(t *testing.T) {
	c := newClock()
	faults := storetest.NewFaults(store.NewMemory())
	v := newVault(t, faults.Store(), sealing(t, "k1"), &store.Options{Now: c.Now, Grace: time.Minute})
	k := kindOf[account](t, v, "account")
	e := store.Entry[account]{Key: store.Key{Subject: rossi}, ExpiresAt: c.Now().Add(time.Minute)}
	require.NoError(t, k.Put(t.Context(), &e))
	c.Add(time.Hour)
	faults.Hook(func(method, _ string) error {
		if method == storetest.Delete {
			faults.Hook(nil)
			put(t, k, store.Key{Subject: rossi}, account{N: 7})
		}
		return nil
	})
	n, err := purge(t.Context(), v, 10)
	require.NoError(t, err)
	assert.Zero(t, n)
	e, err = k.Get(t.Context(), store.Key{Subject: rossi})
	require.NoError(t, err)
	assert.Equal(t, 7, e.Value.N)
}

func TestNoListing(t *testing.T) {
	v := newVault(t, struct{ store.Store }{store.NewMemory()}, sealing(t, "k1"), adopting)
	assert.False(t, v.CanList())
	_, err := reseal(t.Context(), v)
	require.ErrorIs(t, err, store.ErrNoListing)
	_, err = purge(t.Context(), v, 1)
	require.ErrorIs(t, err, store.ErrNoListing)
	for _, err := range kindOf[account](t, v, "account").All(t.Context()) {
		require.ErrorIs(t, err, store.ErrNoListing)
	}
	assert.True(t, newVault(t, store.NewMemory(), sealing(t, "k1"), nil).CanList())
}

// TestListingFails: half a list is never taken for a whole one.
func TestListingFails(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := accounts(t, faults.Store())
	v := newVault(t, faults.Store(), sealing(t, "k2", "k1"), nil)
	for i := range 3 {
		put(t, k, store.Key{ID: fmt.Sprint(i)}, account{N: i})
	}
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
		faults.FailAt(1, outcome, storetest.List)
		_, err := reseal(t.Context(), v)
		require.ErrorIs(t, err, storetest.ErrInjected)
		faults.FailAt(1, outcome, storetest.List)
		_, err = purge(t.Context(), v, 5)
		require.ErrorIs(t, err, storetest.ErrInjected)
		faults.FailAt(1, outcome, storetest.List)
		var last error
		for _, err := range kindOf[account](t, v, "account").All(t.Context()) {
			require.NoError(t, last, "the sequence goes on after its error")
			last = err
		}
		require.ErrorIs(t, last, storetest.ErrInjected)
	}
}

// deadSealer stands for a hardware module that goes away: from when err is set.
type deadSealer struct {
	store.Sealer
	err error
}

func (d *deadSealer) Seal(ctx context.Context, plain, associated []byte) ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.Sealer.Seal(ctx, plain, associated)
}

func (d *deadSealer) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.Sealer.Open(ctx, sealed, associated)
}

// slowSealer opens nothing until the context ends, from when slow is set.
type slowSealer struct {
	store.Sealer
	slow bool
}

func (s *slowSealer) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	if !s.slow {
		return s.Sealer.Open(ctx, sealed, associated)
	}
	<-ctx.Done()
	return nil, errors.New("broken off")
}

// TestOpenBrokenOff: a context that ends while a record is opened says nothing against the record.
func TestOpenBrokenOff(t *testing.T) {
	memory := store.NewMemory()
	put(t, accounts(t, memory), store.Key{Subject: rossi}, account{N: 1})
	keys := sealing(t, "k1")
	sealer := &slowSealer{Sealer: keys.Sealing[0].Sealer}
	keys.Sealing[0].Sealer = sealer
	v := newVault(t, memory, keys, nil)
	sealer.slow = true
	k := kindOf[account](t, v, "account")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := k.Get(ctx, store.Key{Subject: rossi})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, store.ErrUnreadable)
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = reseal(ctx, v)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, store.ErrUnreadable)
}

// TestSealerFails: nothing is written unsealed, and nothing counts as not found.
func TestSealerFails(t *testing.T) {
	memory := store.NewMemory()
	put(t, accounts(t, memory), store.Key{Subject: rossi}, account{N: 1})
	keys := sealing(t, "k1")
	away := errors.New("module away")
	sealer := &deadSealer{Sealer: keys.Sealing[0].Sealer}
	keys.Sealing[0].Sealer = sealer
	k := kindOf[account](t, newVault(t, memory, keys, nil), "account")
	sealer.err = away
	_, err := store.OpenVault(t.Context(), memory, keys, nil)
	require.ErrorIs(t, err, away, "a module that is away says nothing against its key")
	_, err = k.Get(t.Context(), store.Key{Subject: rossi})
	require.ErrorIs(t, err, away)
	assert.NotErrorIs(t, err, store.ErrNotFound)
	_, err = k.Update(t.Context(), store.Key{Subject: bianchi}, add(1))
	require.ErrorIs(t, err, away)
	assert.Len(t, raw(t, memory), 1)
}

// forgetfulMemory is a store that may lose writes.
type forgetfulMemory struct{ *store.Memory }

func (forgetfulMemory) Forgets() bool { return true }

// A start with keys that do not fit one store of a router leaves no canary in another: it would lock the right keys out.
func TestARefusedStartLeavesNothing(t *testing.T) {
	for name, first := range map[string]func() store.Store{
		"empty":     func() store.Store { return newLasting() },
		"forgetful": func() store.Store { return forgetfulMemory{store.NewMemory()} },
	} {
		for _, adopt := range []bool{false, true} {
			right, err := store.CreateKeyFile(filepath.Join(t.TempDir(), "right"))
			require.NoError(t, err)
			wrong, err := store.CreateKeyFile(filepath.Join(t.TempDir(), "wrong"))
			require.NoError(t, err)
			full := newLasting()
			put(t, kindOf[account](t, newVault(t, full, right, nil), "account"), store.Key{Subject: rossi}, account{N: 1})
			r, err := full.Get(t.Context(), canaryKey)
			require.NoError(t, err)
			require.NoError(t, full.Delete(t.Context(), canaryKey, r.Version)) // as it was before there were canaries

			s, err := store.NewRouter(
				store.Route{Store: first(), Kinds: []string{"quota.*"}},
				store.Route{Store: full, Kinds: []string{"*"}},
			)
			require.NoError(t, err)
			_, err = store.OpenVault(t.Context(), s, wrong, &store.Options{Adopt: adopt})
			require.Error(t, err, name)
			_, err = store.OpenVault(t.Context(), s, right, &store.Options{Adopt: true})
			require.NoError(t, err, name)
		}
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	t.Run("a new one each time", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory() })
	})
	t.Run("one for all", func(t *testing.T) {
		t.Parallel()
		shared := store.NewMemory()
		storetest.Run(t, func(*testing.T) store.Store { return shared })
	})
	t.Run("one for all handles", func(t *testing.T) {
		t.Parallel()
		shared := store.NewMemory()
		storetest.RunDurable(t, func(*testing.T, string) store.Store { return shared })
	})
}
