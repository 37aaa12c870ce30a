package code_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/code"
)

var alphabets = []code.Alphabet{code.Digits, code.Unambiguous, code.Letters20, "01", "abc!", "0123456789abcdef", full}

// full is as large as an alphabet may be, and divides 256.
const full code.Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!\"#$%&'()*+,./:;<=>?@[\\]^_`{"

func TestConstants(t *testing.T) {
	assert.Equal(t, code.Alphabet("0123456789"), code.Digits)
	assert.Equal(t, code.Alphabet("23456789ACDEFGHJKMNPQRTUVWXY"), code.Unambiguous)
	assert.Equal(t, code.Alphabet("BCDFGHJKLMNPQRSTVWXZ"), code.Letters20)
	// Of look-alikes there is one, or none.
	for _, group := range []string{"2Z", "5S", "8B"} {
		has := func(i int) bool { return strings.IndexByte(string(code.Unambiguous), group[i]) >= 0 }
		assert.NotEqual(t, has(0), has(1), group)
	}
	assert.False(t, strings.ContainsAny(string(code.Unambiguous), "0O1IL"))
}

func TestValidate(t *testing.T) {
	for _, a := range alphabets {
		assert.NoError(t, a.Validate(), a)
	}
	require.Len(t, full, 64)
	for _, a := range []code.Alphabet{
		"", "0", full + "|", "00", "0120", "abca", "aB", "0aZ", "AbC", "zA", "a b", " a", "a\t", "a\n", "a\x00", "a\x7f", "a-b",
		"a\u2010b", "añ", "aA", "０１", "a\xff", "ab\u00a0",
	} {
		assert.Error(t, a.Validate(), "%q", a)
	}
}

func TestNew(t *testing.T) {
	for _, a := range alphabets {
		for _, n := range []int{1, 2, 8, 16, 100, 1000} {
			c := a.New(n)
			assert.Len(t, c, n)
			assert.Empty(t, strings.Trim(c, string(a)))
		}
		assert.Empty(t, a.New(0))
		assert.Empty(t, a.New(-1))
	}
	seen := map[string]bool{}
	for range 10_000 { // of 2^77: two alike would be no chance
		c := code.Unambiguous.New(16)
		require.False(t, seen[c])
		seen[c] = true
	}
}

func TestNewPanicsOnInvalidAlphabets(t *testing.T) {
	for _, a := range []code.Alphabet{"", "0", "00", "aA", "a-b"} {
		assert.Panics(t, func() { a.New(8) }, "%q", a)
	}
}

// quantile returns the value below which a chi-squared sum with so many degrees of freedom lies as often as a normally
// distributed number lies below z (Wilson and Hilferty's approximation).
func quantile(freedom int, z float64) float64 {
	k := float64(freedom)
	return k * math.Pow(1-2/(9*k)+z*math.Sqrt(2/(9*k)), 3)
}

// rare is where a tail of the normal distribution has one in 2*10^7. With the 16 bounds below, a correct New fails about
// once in 10^6 runs.
const rare = 5.3

func chiSquared(counts []int) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	expected := float64(n) / float64(len(counts))
	sum := 0.0
	for _, c := range counts {
		d := float64(c) - expected
		sum += d * d / expected
	}
	return sum
}

func TestEachSymbolIsAsLikely(t *testing.T) {
	for _, a := range []code.Alphabet{code.Digits, code.Unambiguous, code.Letters20, full} {
		const draws, length = 1_000_000, 8
		k := len(a)
		symbols, first, pairs := make([]int, k), make([]int, k), make([]int, k*k)
		for range draws / length {
			c := a.New(length)
			for i := range length {
				at := strings.IndexByte(string(a), c[i])
				symbols[at]++
				if i == 0 {
					first[at]++
				}
				if i%2 == 1 {
					pairs[strings.IndexByte(string(a), c[i-1])*k+at]++
				}
			}
		}
		assert.Less(t, chiSquared(symbols), quantile(k-1, rare), "symbols of %s", a)
		assert.Less(t, chiSquared(first), quantile(k-1, rare), "first symbols of %s", a)
		assert.Less(t, chiSquared(pairs), quantile(k*k-1, rare), "pairs of %s", a)
		assert.Greater(t, chiSquared(pairs), quantile(k*k-1, -rare), "pairs of %s are too even", a)
	}
}

func TestBits(t *testing.T) {
	for _, c := range []struct {
		a    code.Alphabet
		n    int
		want float64
	}{
		{code.Digits, 6, 19.932},
		{code.Digits, 9, 29.897},
		{code.Letters20, 8, 34.575}, // RFC 8628 section 6.1: 20^8
		{code.Unambiguous, 16, 76.918},
		{code.Unambiguous, 8, 38.459},
		{"0123456789ABCDEFGHJKMNPQRSTVWXYZ", 13, 65},
		{"01", 112, 112},
		{"01", 0, 0},
		{"01", -5, 0},
		{"0", 5, 0},
		{"", 5, 0},
	} {
		assert.InDelta(t, c.want, c.a.Bits(c.n), 0.001, "%s, %d", c.a, c.n)
	}
}

func TestGroup(t *testing.T) {
	for _, c := range []struct {
		code string
		size int
		want string
	}{
		{"ABCDEFGH", 4, "ABCD EFGH"},
		{"ABCDEFGHJ", 4, "ABCD EFGH J"},
		{"ABCDEFGHJKMN", 4, "ABCD EFGH JKMN"},
		{"123456", 3, "123 456"},
		{"ABC", 4, "ABC"},
		{"ABCD", 4, "ABCD"},
		{"", 4, ""},
		{"ABC", 1, "A B C"},
		{"ABCDEFGH", 0, "ABCDEFGH"},
		{"ABCDEFGH", -1, "ABCDEFGH"},
	} {
		assert.Equal(t, c.want, code.Group(c.code, c.size))
	}
	for _, a := range alphabets {
		c := a.New(16)
		back, ok := a.Normalise(code.Group(c, 4))
		assert.True(t, ok)
		assert.Equal(t, c, back)
	}
}

func BenchmarkNew(b *testing.B) {
	for _, a := range []code.Alphabet{code.Digits, code.Unambiguous} {
		b.Run(string(a), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a.New(8)
			}
		})
	}
}

func BenchmarkNormalise(b *testing.B) {
	for _, typed := range []string{"K7PMWXY2", "k7pm-wxy2", "Ｋ７ＰＭ　ＷＸＹ２"} {
		b.Run(typed, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				code.Unambiguous.Normalise(typed)
			}
		})
	}
}

func TestSamples(t *testing.T) {
	for _, tc := range []struct {
		alphabet code.Alphabet
		n        int
		want     []string
	}{
		{"AB", 1, []string{"A", "B"}},
		{"AB", 2, []string{"AB"}},
		{"AB", 5, []string{"ABABA"}},
		{"ABCDE", 3, []string{"ABC", "DEA"}},
		{code.Digits, 6, []string{"012345", "678901"}},
	} {
		require.Equal(t, tc.want, tc.alphabet.Samples(tc.n), "%s, %d", tc.alphabet, tc.n)
	}
}
