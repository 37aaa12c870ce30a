package bench_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"

	pquerna "github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/oath"
)

// algorithms are the three of RFC 6238, in the terms of both libraries and of the standard library.
var algorithms = []struct {
	name   string
	ours   oath.Hash
	theirs pquerna.Algorithm
	hash   func() hash.Hash
}{
	{"SHA1", oath.SHA1, pquerna.AlgorithmSHA1, sha1.New},
	{"SHA256", oath.SHA256, pquerna.AlgorithmSHA256, sha256.New},
	{"SHA512", oath.SHA512, pquerna.AlgorithmSHA512, sha512.New},
}

// skew is how many steps to either side of the right one are accepted: the default of both libraries.
const skew = 1

var (
	seed   = []byte("12345678901234567890")
	secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
	now    = time.Unix(1_900_000_000, 0)
	step   = uint64(now.Unix() / 30)
)

func hotpOptions(a pquerna.Algorithm) hotp.ValidateOpts {
	return hotp.ValidateOpts{Digits: pquerna.DigitsSix, Algorithm: a}
}

func totpOptions(a pquerna.Algorithm) totp.ValidateOpts {
	return totp.ValidateOpts{Period: 30, Skew: skew, Digits: pquerna.DigitsSix, Algorithm: a}
}

// find is what a check computes: is this the code of one of three steps? Both ways in which this library is called are here,
// from the seed as it is stored to the answer.
func find(h oath.Hash, code uint32) bool {
	k := oath.NewKey(h, seed, 6)
	_, m := k.Find(code, step-skew, 2*skew+1, 0)
	return m == oath.Fresh
}

// text writes a code as an app shows it, which is what the other library's generators return.
func text(code uint32) string { return fmt.Sprintf("%06d", code) }

// TestSameCodes: both libraries make the same codes and accept the same ones.
func TestSameCodes(t *testing.T) {
	for _, a := range algorithms {
		k := oath.NewKey(a.ours, seed, 6)
		for counter := range uint64(100) {
			theirs, err := hotp.GenerateCodeCustom(secret, counter, hotpOptions(a.theirs))
			require.NoError(t, err)
			require.Equal(t, theirs, text(k.Code(counter)))
		}
		theirs, err := totp.GenerateCodeCustom(secret, now, totpOptions(a.theirs))
		require.NoError(t, err)
		require.Equal(t, theirs, text(k.Code(step)))
		for offset := -5; offset <= 5; offset++ {
			code := k.Code(step + uint64(offset))
			ok, err := totp.ValidateCustom(text(code), secret, now, totpOptions(a.theirs))
			require.NoError(t, err)
			require.Equal(t, ok, find(a.ours, code), "%s %d", a.name, offset)
			require.Equal(t, -skew <= offset && offset <= skew, ok)
		}
	}
}

// TestVerifyAllocates: a check allocates no more than the standard library's HMAC alone, which is to say nothing at all.
func TestVerifyAllocates(t *testing.T) {
	for _, a := range algorithms {
		ours := testing.AllocsPerRun(100, func() { find(a.ours, 1) })
		require.Zero(t, ours, a.name)
		require.LessOrEqual(t, ours, testing.AllocsPerRun(100, func() { bareHMAC(a.hash, step) }))
	}
}

// bareHMAC is one HMAC of a counter, as the standard library computes it: the least that crypto/hmac lets a code cost.
func bareHMAC(h func() hash.Hash, counter uint64) byte {
	var message [8]byte
	binary.BigEndian.PutUint64(message[:], counter)
	mac := hmac.New(h, seed)
	mac.Write(message[:])
	var sum [sha512.Size]byte
	return mac.Sum(sum[:0])[0]
}

// BenchmarkBareHMAC is the measure of the others.
func BenchmarkBareHMAC(b *testing.B) {
	for _, a := range algorithms {
		b.Run(a.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bareHMAC(a.hash, step)
			}
		})
	}
}

// BenchmarkHOTPGenerate makes one code as text.
func BenchmarkHOTPGenerate(b *testing.B) {
	for _, a := range algorithms {
		b.Run(a.name+"/civicpin", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k := oath.NewKey(a.ours, seed, 6)
				text(k.Code(step))
			}
		})
		b.Run(a.name+"/pquerna", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = hotp.GenerateCodeCustom(secret, step, hotpOptions(a.theirs))
			}
		})
	}
}

// BenchmarkTOTPGenerate makes the code of a time as text.
func BenchmarkTOTPGenerate(b *testing.B) {
	for _, a := range algorithms {
		b.Run(a.name+"/civicpin", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k := oath.NewKey(a.ours, seed, 6)
				text(k.Code(uint64(now.Unix() / 30)))
			}
		})
		b.Run(a.name+"/pquerna", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = totp.GenerateCodeCustom(secret, now, totpOptions(a.theirs))
			}
		})
	}
}

// BenchmarkHOTPVerify checks one code against one counter.
func BenchmarkHOTPVerify(b *testing.B) {
	for _, a := range algorithms {
		k := oath.NewKey(a.ours, seed, 6)
		right := k.Code(step)
		b.Run(a.name+"/civicpin", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k := oath.NewKey(a.ours, seed, 6)
				if _, m := k.Find(right, step, 1, step); m != oath.Fresh {
					b.Fatal("refused")
				}
			}
		})
		typed := text(right)
		b.Run(a.name+"/pquerna", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, _ := hotp.ValidateCustom(typed, step, secret, hotpOptions(a.theirs)); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}

// BenchmarkTOTPVerify checks a code against three steps. The other library stops at the step that it finds, and so has less to
// do for the code of the current one; this one computes all three, so that the time tells nothing.
func BenchmarkTOTPVerify(b *testing.B) {
	for _, a := range algorithms {
		k := oath.NewKey(a.ours, seed, 6)
		for _, c := range []struct {
			name string
			code uint32
			ok   bool
		}{{"current", k.Code(step), true}, {"last", k.Code(step - skew), true}, {"wrong", k.Code(step + 1_000), false}} {
			b.Run(strings.Join([]string{a.name, c.name, "civicpin"}, "/"), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if find(a.ours, c.code) != c.ok {
						b.Fatal("another answer")
					}
				}
			})
			typed := text(c.code)
			b.Run(strings.Join([]string{a.name, c.name, "pquerna"}, "/"), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if ok, _ := totp.ValidateCustom(typed, secret, now, totpOptions(a.theirs)); ok != c.ok {
						b.Fatal("another answer")
					}
				}
			})
		}
	}
}
