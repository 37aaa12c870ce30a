package natsstore_test

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// allowed is what the engine takes for a key of a key-value bucket.
var allowed = regexp.MustCompile(`^[-/_=.a-zA-Z0-9]+$`)

// matches reports whether a subject matches a pattern, as the engine does it.
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		switch {
		case token == ">":
			return len(s) > i
		case i >= len(s) || token != "*" && token != s[i]:
			return false
		}
	}
	return len(p) == len(s)
}

// TestEncodeKey pins how keys are stored: under another encoding, no record would be found again.
func TestEncodeKey(t *testing.T) {
	for key, want := range map[string]string{
		"a": "a", "abc": "abc", "/": "/", "//": "/./", "a/": "a/", "a/b": "a/.b", "a/bc": "a/.b.c", "a/bcd": "a/.b.c.d",
		"login/3fa9/x": "login/.3.f.a9/x", ".": "=", "..": "==", "a.b/c.d.e": "a=b/.c.=.d=e", "/.": "/.=", "./": "=/", "a/...": "a/.=.=.=",
	} {
		assert.Equal(t, want, natsstore.EncodeKey(key))
		back, err := natsstore.DecodeKey(want)
		assert.NoError(t, err)
		assert.Equal(t, key, back)
	}
	for _, bad := range []string{
		"", ".", "a.", ".a", "a..b", "a.b", "a/b", "a/.bc", "a/.b.c.d.e", "a/.b/.c", "a=", "a b", "a/.>", "*", natsstore.Confirmation,
		strings.Repeat("x", 201),
	} {
		_, err := natsstore.DecodeKey(bad)
		if bad == "a=" {
			assert.NoError(t, err)
			continue
		}
		assert.Error(t, err, "%q", bad)
	}
}

// FuzzKey: whatever key is accepted, its encoding is one that the engine takes, decodes to it, is not what confirmations are
// written under, and is matched by the patterns of its prefixes; and no text decodes that is not some key's encoding.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"a", "login/3fa9", "a.b/c.d", "/", "./.", "..", "a/.b.c.d", "=", "a/>", natsstore.Confirmation} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key, err := natsstore.DecodeKey(s); err == nil {
			require.NoError(t, store.CheckKey(key))
			require.Equal(t, s, natsstore.EncodeKey(key))
		}
		if store.CheckKey(s) != nil {
			return
		}
		encoded := natsstore.EncodeKey(s)
		require.Regexp(t, allowed, encoded)
		for token := range strings.SplitSeq(encoded, ".") {
			require.NotEmpty(t, token)
		}
		require.NotEqual(t, natsstore.Confirmation, encoded)
		back, err := natsstore.DecodeKey(encoded)
		require.NoError(t, err)
		require.Equal(t, s, back)
		for n := range len(s) {
			require.True(t, matches(natsstore.Filter(s[:n]), encoded), "%q does not match the pattern of %q", encoded, s[:n])
		}
	})
}

// TestFilterNarrows: a pattern leaves out what it can.
func TestFilterNarrows(t *testing.T) {
	for prefix, not := range map[string]string{
		"login/": "logins/3fa9", "login/3": "login/4fa9", "login/3f": "login/3eaa", "login/3fa": "login/3e9",
	} {
		assert.False(t, matches(natsstore.Filter(prefix), natsstore.EncodeKey(not)), "%q", prefix)
	}
}

// TestBucketOf pins which bucket a key is in, for the same reason, and that keys spread evenly.
func TestBucketOf(t *testing.T) {
	for key, want := range map[string]int{"a": 12, "login/3fa9": 12, "pin/00000000000000000000": 49} {
		assert.Equal(t, want, natsstore.BucketOf(key, 64), key)
	}
	counts := make([]int, 64)
	for i := range 64_000 {
		counts[natsstore.BucketOf("kind/"+strings.Repeat("0", i%7)+time.Duration(i).String(), 64)]++
	}
	for _, n := range counts {
		assert.InDelta(t, 1000, n, 200)
	}
}

func FuzzValue(f *testing.F) {
	f.Add([]byte{}, int64(0), int64(0))
	f.Add([]byte("value"), int64(1_800_000_000), int64(999_999_999))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0}, int64(math.MinInt64), int64(1))
	f.Add([]byte{1, 0x80, 0, 0, 0, 0, 0, 0, 0, 7}, int64(-62135596800), int64(0)) // no expiry; the zero time
	f.Fuzz(func(t *testing.T, b []byte, s, ns int64) {
		if value, expires, err := natsstore.DecodeValue(b); err == nil {
			require.NotNil(t, value)
			again, err := natsstore.EncodeValue(value, expires)
			if err == nil && !expires.IsZero() { // the greatest times are beyond what encodes
				require.Equal(t, b, again)
			}
		} else {
			require.Nil(t, value)
		}
		expires := time.Unix(s, ns)
		encoded, err := natsstore.EncodeValue(b, expires)
		if err != nil {
			return
		}
		value, got, err := natsstore.DecodeValue(encoded)
		require.NoError(t, err)
		require.Equal(t, append([]byte{}, b...), value)
		require.Equal(t, expires.IsZero(), got.IsZero())
		require.False(t, got.Before(expires))
		require.LessOrEqual(t, got.Sub(expires), 2*time.Millisecond)
	})
}

func TestDecodeValueRefuses(t *testing.T) {
	for _, bad := range [][]byte{nil, {}, {1}, make([]byte, 9), {1, 0, 0, 0, 0, 0, 0, 0}, {2, 0, 0, 0, 0, 0, 0, 0, 0, 1}} {
		_, _, err := natsstore.DecodeValue(bad)
		assert.Error(t, err, "%x", bad)
	}
}

func TestTimeToLive(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		expires time.Time
		want    string
	}{
		{time.Time{}, ""},
		{now.Add(-100 * 365 * 24 * time.Hour), "3600s"},
		{now, "3600s"},
		{now.Add(59 * time.Minute), "3600s"},
		{now.Add(2 * time.Hour), "7210s"},
		{now.Add(2*time.Hour + 1), "7211s"}, // never less than was asked
		{now.Add(99 * 365 * 24 * time.Hour), "3122064010s"},
		{now.Add(101 * 365 * 24 * time.Hour), ""},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), ""},
	} {
		assert.Equal(t, tc.want, natsstore.TimeToLive(tc.expires, now), "%v", tc.expires)
	}
}
