package sqlstore_test

import (
	"bytes"
	"database/sql"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// FuzzKey checks that the encoding of keys can be undone, gives different keys different bytes, and keeps their order, for
// Go and for SQLite.
func FuzzKey(f *testing.F) {
	for _, s := range [][2]string{
		{"a", "A"},
		{"a", "a"},
		{"a", "a/"},
		{"a-b", "a_b"},
		{"k/1", "k/10"},
		{"", "a"},
		{"ä", "a\x00"},
		{"Z", "a"},
		{strings.Repeat("z", 200), strings.Repeat("z", 201)},
		{"1", "01"},
		{".", "-"},
	} {
		f.Add(s[0], s[1])
	}
	db := openMemory(f)
	compare, err := db.Prepare("SELECT ?1, (?1 > ?2) - (?1 < ?2)")
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, compare.Close()) })
	f.Fuzz(func(t *testing.T, a, b string) {
		encoded := sqlstore.EncodeKey(a)
		decoded, err := sqlstore.DecodeKey(encoded)
		if store.CheckKey(a) != nil {
			require.Error(t, err)
			require.NotErrorIs(t, err, store.ErrInvalidKey, "the caller asked with no such key")
			require.Empty(t, decoded)
			return
		}
		require.NoError(t, err)
		require.Equal(t, a, decoded)
		if store.CheckKey(b) != nil {
			return
		}
		want := strings.Compare(a, b)
		require.Equal(t, want, bytes.Compare(encoded, sqlstore.EncodeKey(b)))
		var back []byte
		var got int
		require.NoError(t, compare.QueryRow(encoded, sqlstore.EncodeKey(b)).Scan(&back, &got))
		require.Equal(t, encoded, back)
		require.Equal(t, want, got)
	})
}

// FuzzKeyRange checks that the bounds of a listing enclose the keys that it asks for and no others.
func FuzzKeyRange(f *testing.F) {
	for _, s := range [][3]string{
		{"a/b", "a/", ""},
		{"a/b", "a/", "a/b"},
		{"a/b", "", "a/a"},
		{"a0", "a/", ""},
		{"a/b", "a/c", "a/"},
		{"a", "\xff", ""},
		{"zzz", "z", "zz"},
		{"a/b", "a/", "z"},
		{"b", "a\xff\xff", "a"},
		{"a", "", "\xff"},
		{"zzz", "", ""},
		{"aa", "a", "a"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, key, prefix, after string) {
		if store.CheckKey(key) != nil {
			return
		}
		from, to := sqlstore.KeyRange(prefix, after)
		k := sqlstore.EncodeKey(key)
		require.Equal(t, strings.HasPrefix(key, prefix) && key > after, bytes.Compare(from, k) <= 0 && bytes.Compare(k, to) < 0)
	})
}

// FuzzExpires checks that an expiry comes back at the same time or at most a millisecond later, and stays an expiry.
func FuzzExpires(f *testing.F) {
	zero := time.Time{}
	for _, s := range []struct{ sec, nsec int64 }{
		{0, 0},
		{0, 1},
		{0, 999_999},
		{0, 1_000_000},
		{0, 999_999_999},
		{-1, 1},
		{-1, 999_999_999},
		{1_800_000_000, 123_456_789},
		{zero.Unix(), 0},
		{zero.Unix(), 1},
		{zero.Unix() - 1, 999_999_999},
		{math.MaxInt64, 0},
		{math.MinInt64, 0},
		{math.MaxInt64 / 1000, 0},
		{math.MaxInt64/1000 - 1, 999_999_999},
		{math.MinInt64 / 1000, 1},
		{253_402_300_800, 0},
	} {
		f.Add(s.sec, s.nsec)
	}
	f.Fuzz(func(t *testing.T, sec, nsec int64) {
		want := time.Unix(sec, nsec%1_000_000_000)
		encoded, err := sqlstore.EncodeExpires(want)
		if err != nil {
			require.True(t, want.Unix() > math.MaxInt64/1000-2 || want.Unix() < math.MinInt64/1000+2, "refused %v", want)
			return
		}
		require.Equal(t, want.IsZero(), !encoded.Valid)
		got := sqlstore.DecodeExpires(encoded)
		require.Equal(t, want.IsZero(), got.IsZero())
		require.False(t, got.Before(want), "%v came back as %v", want, got)
		require.Less(t, got.Sub(want), 2*time.Millisecond)
		require.Equal(t, time.UTC, got.Location())
	})
}

func TestExpiresColumn(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	for name, c := range map[string]struct {
		t    time.Time
		want sql.NullInt64
	}{
		"never":              {time.Time{}, sql.NullInt64{}},
		"a whole second":     {at, sql.NullInt64{Int64: 1772362800000, Valid: true}},
		"a nanosecond more":  {at.Add(1), sql.NullInt64{Int64: 1772362800001, Valid: true}},
		"a nanosecond less":  {at.Add(-1), sql.NullInt64{Int64: 1772362800000, Valid: true}},
		"a millisecond more": {at.Add(time.Millisecond), sql.NullInt64{Int64: 1772362800001, Valid: true}},
		"before 1970":        {time.Unix(-1, 1), sql.NullInt64{Int64: -999, Valid: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sqlstore.EncodeExpires(c.t)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestVersionsAreRandomAndPositive(t *testing.T) {
	seen := make(map[int64]bool)
	var set, unset int64
	for range 10_000 {
		v := sqlstore.NewVersion()
		require.Positive(t, v)
		require.False(t, seen[v])
		seen[v] = true
		set |= v
		unset |= ^v
	}
	require.Equal(t, int64(math.MaxInt64), set, "every bit but the sign is used")
	require.Equal(t, int64(math.MaxInt64), unset&math.MaxInt64)
}
