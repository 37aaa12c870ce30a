package oath_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/oath"
)

// seedOf returns the RFCs' seed: "1234567890" over and over, as long as the function's output. The text of RFC 6238 appendix B
// shows the one of 20 bytes only; its values for SHA-256 and SHA-512 come of 32 and 64.
func seedOf(h oath.Hash) []byte { return []byte(strings.Repeat("1234567890", 7)[:h.Size()]) }

var hashes = map[oath.Hash]func() hash.Hash{oath.SHA1: sha1.New, oath.SHA256: sha256.New, oath.SHA512: sha512.New}

// RFC 4226 appendix D.
func TestHOTPVectors(t *testing.T) {
	k6 := oath.NewKey(oath.SHA1, seedOf(oath.SHA1), 6)
	k8 := oath.NewKey(oath.SHA1, seedOf(oath.SHA1), 8)
	values := []uint32{
		1284755224, 1094287082, 137359152, 1726969429, 1640338314, 868254676, 1918287922, 82162583, 673399871, 645520489,
	}
	codes := []uint32{755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489}
	for c := range values {
		assert.Equal(t, values[c], k6.Value(uint64(c)))
		assert.Equal(t, codes[c], k6.Code(uint64(c)))
		assert.Equal(t, values[c]%100_000_000, k8.Code(uint64(c)))
	}
}

// RFC 6238 appendix B.
func TestTOTPVectors(t *testing.T) {
	for _, v := range []struct {
		unix  uint64
		codes map[oath.Hash]uint32
	}{
		{59, map[oath.Hash]uint32{oath.SHA1: 94287082, oath.SHA256: 46119246, oath.SHA512: 90693936}},
		{1111111109, map[oath.Hash]uint32{oath.SHA1: 7081804, oath.SHA256: 68084774, oath.SHA512: 25091201}},
		{1111111111, map[oath.Hash]uint32{oath.SHA1: 14050471, oath.SHA256: 67062674, oath.SHA512: 99943326}},
		{1234567890, map[oath.Hash]uint32{oath.SHA1: 89005924, oath.SHA256: 91819424, oath.SHA512: 93441116}},
		{2000000000, map[oath.Hash]uint32{oath.SHA1: 69279037, oath.SHA256: 90698825, oath.SHA512: 38618901}},
		{20000000000, map[oath.Hash]uint32{oath.SHA1: 65353130, oath.SHA256: 77737706, oath.SHA512: 47863826}},
	} {
		for h, want := range v.codes {
			k := oath.NewKey(h, seedOf(h), 8)
			assert.Equal(t, want, k.Code(v.unix/30), "%d %d", h, v.unix)
		}
	}
}

// The example of RFC 4226 section 5.4, and counter 0 of appendix D: the offset is in the last byte.
func TestTruncate(t *testing.T) {
	for sum, want := range map[string]uint32{
		"1f8698690e02ca16618550ef7f19da8e945b555a": 0x50ef7f19,
		"cc93cf18508d94934c64b65d8ba7667fb7cde4b0": 1284755224,
		"ffffffff00000000000000000000000000000000": 0x7fffffff, // without the sign
		"000000000000000000000000000000ffffffff0f": 0x7fffffff, // the last place
	} {
		b, err := hex.DecodeString(sum)
		require.NoError(t, err)
		assert.Equal(t, want, oath.Truncate(b), sum)
	}
}

// The same as crypto/hmac gives, for every length of seed up to beyond the longest block, and counters of every size.
func TestAgainstHMAC(t *testing.T) {
	for h, fn := range hashes {
		for n := range 200 {
			seed := make([]byte, n)
			for i := range seed {
				seed[i] = byte(i*7 + n)
			}
			k := oath.NewKey(h, seed, 6)
			for shift := 0; shift < 64; shift += 9 {
				counter := uint64(1)<<shift + uint64(n)
				mac := hmac.New(fn, seed)
				_ = binary.Write(mac, binary.BigEndian, counter)
				require.Equal(t, oath.Truncate(mac.Sum(nil)), k.Value(counter), "%d, %d bytes, counter %d", h, n, counter)
			}
		}
	}
}

func TestNewSeed(t *testing.T) {
	for h, size := range map[oath.Hash]int{oath.SHA1: 20, oath.SHA256: 32, oath.SHA512: 64} {
		assert.Equal(t, size, h.Size())
		a, b := oath.NewSeed(h), oath.NewSeed(h)
		assert.Len(t, a, size)
		assert.NotEqual(t, a, b)
	}
	assert.Zero(t, oath.Hash(0).Size())
	assert.Zero(t, oath.Hash(4).Size())
}

func TestNewKeyPanics(t *testing.T) {
	for _, c := range []struct {
		h      oath.Hash
		digits int
	}{{0, 6}, {4, 6}, {oath.SHA1, 5}, {oath.SHA1, 9}, {oath.SHA512, 0}, {oath.SHA512, -6}} {
		assert.Panics(t, func() { oath.NewKey(c.h, nil, c.digits) }, c)
	}
	assert.Panics(t, func() { new(oath.Key).Value(1) })
}

func TestFind(t *testing.T) {
	k := oath.NewKey(oath.SHA1, seedOf(oath.SHA1), 6)
	for _, c := range []struct {
		code uint32
		from uint64
		n    int
		next uint64
		at   uint64
		m    oath.Match
	}{
		{755224, 0, 1, 0, 0, oath.Fresh},
		{755224, 0, 10, 0, 0, oath.Fresh},
		{520489, 0, 10, 0, 9, oath.Fresh},
		{520489, 0, 9, 0, 0, oath.None}, // just outside
		{755224, 1, 9, 0, 0, oath.None},
		{969429, 0, 10, 3, 3, oath.Fresh},
		{969429, 0, 10, 4, 0, oath.Spent},
		{969429, 0, 10, 100, 0, oath.Spent},
		{969428, 0, 10, 0, 0, oath.None},
		{755224, 0, 0, 0, 0, oath.None},
		{755224, ^uint64(0), 2, 0, 0, oath.Fresh}, // wraps, and is compared all the same
	} {
		at, m := k.Find(c.code, c.from, c.n, c.next)
		assert.Equal(t, c.m, m, c)
		assert.Equal(t, c.at, at, c)
	}
}

// Of two fresh counters with one code the first counts, and a spent one before them does not hide them.
func TestFindFirst(t *testing.T) {
	k := oath.NewKey(oath.SHA1, seedOf(oath.SHA1), 6)
	seen := map[uint32][]uint64{}
	var twins []uint64
	for c := uint64(0); len(twins) < 3; c++ {
		code := k.Code(c)
		if seen[code] = append(seen[code], c); len(seen[code]) == 3 {
			twins = seen[code]
		}
	}
	code, n := k.Code(twins[0]), int(twins[2])+1
	at, m := k.Find(code, 0, n, 0)
	assert.Equal(t, oath.Fresh, m)
	assert.Equal(t, twins[0], at)
	at, m = k.Find(code, 0, n, twins[0]+1)
	assert.Equal(t, oath.Fresh, m)
	assert.Equal(t, twins[1], at)
}

func TestFindPair(t *testing.T) {
	k := oath.NewKey(oath.SHA1, seedOf(oath.SHA1), 6)
	for _, c := range []struct {
		first, second uint32
		from          uint64
		n             int
		at            uint64
		ok            bool
	}{
		{755224, 287082, 0, 1, 0, true},
		{399871, 520489, 0, 9, 8, true},
		{399871, 520489, 0, 8, 0, false}, // just outside
		{755224, 287082, 1, 9, 0, false},
		{287082, 755224, 0, 9, 0, false}, // the other way round
		{755224, 359152, 0, 9, 0, false}, // one between them
		{755224, 755224, 0, 9, 0, false},
		{755224, 287082, 0, 0, 0, false},
	} {
		at, ok := k.FindPair(c.first, c.second, c.from, c.n)
		assert.Equal(t, c.ok, ok, c)
		assert.Equal(t, c.at, at, c)
	}
}

func TestNoAllocations(t *testing.T) {
	for h := range hashes {
		seed, sink := seedOf(h), uint64(0)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			k := oath.NewKey(h, seed, 6)
			at, _ := k.Find(755224, 41, 3, 0)
			sink += at
		}))
	}
}

func BenchmarkFind(b *testing.B) {
	for h, name := range map[oath.Hash]string{oath.SHA1: "SHA1", oath.SHA256: "SHA256", oath.SHA512: "SHA512"} {
		b.Run(name, func(b *testing.B) {
			seed := seedOf(h)
			b.ReportAllocs()
			for b.Loop() {
				k := oath.NewKey(h, seed, 6)
				k.Find(0, 41, 3, 0)
			}
		})
	}
}
