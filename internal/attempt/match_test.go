package attempt_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/token"
)

// No way of putting matches together makes one of what did not match.
func TestMatches(t *testing.T) {
	var none attempt.Match
	require.False(t, none.Right())
	require.False(t, none.Spent())
	require.True(t, right.Right())
	require.False(t, wrong.Right())
	require.True(t, right.If(true).Right())
	require.False(t, right.If(false).Right())
	require.False(t, wrong.If(true).Right())
	for _, tc := range []struct {
		a, b    attempt.Match
		or, all bool
	}{
		{right, right, true, true},
		{right, wrong, true, false},
		{wrong, right, true, false},
		{wrong, wrong, false, false},
		{none, right, true, false},
	} {
		require.Equal(t, tc.or, tc.a.Or(tc.b).Right())
		require.Equal(t, tc.all, attempt.All([]attempt.Match{tc.a, tc.b}).Right())
	}
	require.False(t, attempt.All(nil).Right(), "nothing was compared")
	require.True(t, attempt.Told(t.Context(), true).Right())
	require.False(t, attempt.Told(t.Context(), false).Right())
}

// A subject who has no image is not let in by choosing none.
func TestText(t *testing.T) {
	require.True(t, attempt.Text(t.Context(), "owl", "owl").Right())
	for _, given := range []string{"fox", "Owl", "ow", ""} {
		require.False(t, attempt.Text(t.Context(), given, "owl").Right(), given)
	}
	for _, given := range []string{"owl", ""} {
		require.False(t, attempt.Text(t.Context(), given, "").Right(), given)
	}
}

func TestBytesAndAmong(t *testing.T) {
	require.False(t, attempt.Bytes(t.Context(), []byte("a"), []byte("ab")).Right())
	require.False(t, attempt.Bytes(t.Context(), nil, []byte("a")).Right())
	list := [][]byte{[]byte("a"), []byte("b"), []byte("c")}
	for i, v := range list {
		at, m := attempt.Among(t.Context(), list, v)
		require.Equal(t, i, at)
		require.True(t, m.Right())
	}
	for _, v := range []string{"", "d", "ab"} {
		at, m := attempt.Among(t.Context(), list, []byte(v))
		require.Equal(t, -1, at)
		require.False(t, m.Right())
	}
	at, m := attempt.Among(t.Context(), nil, []byte("a"))
	require.Equal(t, -1, at)
	require.False(t, m.Right())
}

// A hash is verified with a permit of the gate, or not at all.
func TestHash(t *testing.T) {
	gate, err := password.NewGate(1, 0, 1)
	require.NoError(t, err)
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, "secret")
	m, err := attempt.Hash(t.Context(), gate, nil, hash, "secret")
	require.NoError(t, err)
	require.True(t, m.Right())
	m, err = attempt.Hash(t.Context(), gate, nil, hash, "Secret")
	require.NoError(t, err)
	require.False(t, m.Right())
	m, err = attempt.Hash(t.Context(), gate, nil, password.Hash{}, "")
	require.NoError(t, err)
	require.False(t, m.Right(), "the zero hash")
	require.Equal(t, int64(3), gate.Total())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	m, err = attempt.Hash(ended, gate, nil, hash, "secret")
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, m.Right())
	require.Equal(t, int64(3), gate.Total())
}

func TestCode(t *testing.T) {
	key := oath.NewKey(oath.SHA1, []byte("12345678901234567890"), 6) // RFC 4226, appendix D
	const one, two, three = 287082, 359152, 969429
	for _, tc := range []struct {
		code         uint32
		next         uint64
		right, spent bool
		at           uint64
	}{
		{two, 0, true, false, 2},
		{two, 2, true, false, 2},
		{two, 3, false, true, 0},
		{123456, 0, false, false, 0},
	} {
		at, m := attempt.Code(t.Context(), &key, tc.code, 0, 4, tc.next)
		require.Equal(t, tc.right, m.Right(), "%+v", tc)
		require.Equal(t, tc.spent, m.Spent(), "%+v", tc)
		require.Equal(t, tc.at, at, "%+v", tc)
		require.Equal(t, tc.spent, wrong.Or(m).Spent(), "%+v", tc)
		require.Equal(t, tc.spent, m.Or(wrong).Spent(), "%+v", tc)
	}
	at, m := attempt.CodePair(t.Context(), &key, two, three, 0, 4)
	require.True(t, m.Right())
	require.Equal(t, uint64(2), at)
	_, m = attempt.CodePair(t.Context(), &key, one, three, 0, 4)
	require.False(t, m.Right())
}

func TestTyped(t *testing.T) {
	tag := func(l *token.Link, text string) []byte { return []byte{byte(l.N), text[0]} }
	links := []token.Link{{N: 1, Tag: []byte{1, 'a'}}, {N: 2, Tag: []byte{2, 'b'}}}
	for text, want := range map[string]int{"a": 0, "b": 1, "c": -1} {
		at, m := attempt.Typed(t.Context(), links, text, func(l *token.Link) []byte { return tag(l, text) })
		require.Equal(t, want, at)
		require.Equal(t, want >= 0, m.Right())
	}
}
