package store_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
)

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
