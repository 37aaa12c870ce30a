// Package oath computes the codes of RFC 4226 (HOTP) and RFC 6238 (TOTP). It decides nothing: which counters may count, and
// how often a subject may try, is for package otp.
//
// HMAC is written out here over the standard library's hash functions (RFC 2104), because crypto/hmac allocates a state for
// each code and clears it for the next: on the stack a window of codes takes a third of the time and no allocation. It is
// checked against crypto/hmac for every length of key, and against the vectors of both RFCs.
package oath

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
)

// A Hash is a hash function for HMAC.
type Hash uint8

// The hash functions of RFC 6238. HOTP as RFC 4226 has it uses SHA1, which HMAC keeps safe: nothing here rests on collisions.
const (
	SHA1 Hash = iota + 1
	SHA256
	SHA512
)

// Size returns the length of the function's output in bytes, which is also how long a seed should be (RFC 6238 section 5.1);
// zero for what is none of the constants.
func (h Hash) Size() int {
	switch h {
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	case SHA512:
		return sha512.Size
	}
	return 0
}

// blockSize returns the length of the function's blocks in bytes.
func (h Hash) blockSize() int {
	if h == SHA512 {
		return sha512.BlockSize
	}
	return sha256.BlockSize // and SHA-1's
}

// NewSeed returns a random seed of Size bytes.
func NewSeed(h Hash) []byte {
	seed := make([]byte, h.Size())
	_, _ = rand.Read(seed) // never fails
	return seed
}

// MinDigits and MaxDigits bound the length of a code: RFC 4226 section 5.3 requires six, and the ninth and tenth digit of a
// number of 31 bits would not all be equally likely.
const (
	MinDigits = 6
	MaxDigits = 8
)

// maxBlock is the block length of SHA-512, the longest.
const maxBlock = sha512.BlockSize

// A Key is a seed made ready to compute codes. It is meant to live on the stack. The zero Key is not usable.
type Key struct {
	hash         Hash
	modulus      uint32
	inner, outer [maxBlock]byte // the seed, padded as RFC 2104 has it
}

// NewKey makes a seed ready. It panics on a hash function that is none of the constants and on digits out of range: who
// stores or parses them checks them before.
func NewKey(h Hash, seed []byte, digits int) Key {
	if h.Size() == 0 || digits < MinDigits || digits > MaxDigits {
		panic("oath: hash function or number of digits is out of range")
	}
	k := Key{hash: h, modulus: 1}
	for range digits {
		k.modulus *= 10
	}
	switch {
	case h == SHA1 && len(seed) > sha1.BlockSize:
		sum := sha1.Sum(seed)
		copy(k.inner[:], sum[:])
	case h == SHA256 && len(seed) > sha256.BlockSize:
		sum := sha256.Sum256(seed)
		copy(k.inner[:], sum[:])
	case h == SHA512 && len(seed) > sha512.BlockSize:
		sum := sha512.Sum512(seed)
		copy(k.inner[:], sum[:])
	default:
		copy(k.inner[:], seed)
	}
	for i := 0; i < h.blockSize(); i += 8 { // a word at a time
		word := binary.LittleEndian.Uint64(k.inner[i:])
		binary.LittleEndian.PutUint64(k.outer[i:], word^0x5c5c5c5c5c5c5c5c)
		binary.LittleEndian.PutUint64(k.inner[i:], word^0x3636363636363636)
	}
	return k
}

// Value returns the number of 31 bits of which a counter's code is the end (RFC 4226 section 5.3).
func (k *Key) Value(counter uint64) uint32 {
	// One buffer for both passes: a block of padded key, then the message.
	var b [maxBlock + sha512.Size]byte
	switch k.hash {
	case SHA1:
		const block = sha1.BlockSize
		copy(b[:block], k.inner[:])
		binary.BigEndian.PutUint64(b[block:], counter)
		sum := sha1.Sum(b[:block+8])
		copy(b[:block], k.outer[:])
		copy(b[block:], sum[:])
		sum = sha1.Sum(b[:block+sha1.Size])
		return truncate(sum[:])
	case SHA256:
		const block = sha256.BlockSize
		copy(b[:block], k.inner[:])
		binary.BigEndian.PutUint64(b[block:], counter)
		sum := sha256.Sum256(b[:block+8])
		copy(b[:block], k.outer[:])
		copy(b[block:], sum[:])
		sum = sha256.Sum256(b[:block+sha256.Size])
		return truncate(sum[:])
	case SHA512:
		const block = sha512.BlockSize
		copy(b[:block], k.inner[:])
		binary.BigEndian.PutUint64(b[block:], counter)
		sum := sha512.Sum512(b[:block+8])
		copy(b[:block], k.outer[:])
		copy(b[block:], sum[:])
		sum = sha512.Sum512(b[:block+sha512.Size])
		return truncate(sum[:])
	}
	panic("oath: a Key is made with NewKey")
}

// truncate picks 31 bits from where the last four bits point to.
func truncate(sum []byte) uint32 {
	at := sum[len(sum)-1] & 0xf
	return binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
}

// Code returns the code of a counter, as a number: the caller prints leading zeros.
func (k *Key) Code(counter uint64) uint32 { return k.Value(counter) % k.modulus }

// A Match is what [Key.Find] found.
type Match uint8

// The matches, worst first.
const (
	None  Match = iota
	Spent       // the code of a counter that is over
	Fresh       // the code of a counter that may still be used
)

// Find looks for a code among those of n counters, beginning with from, and returns the first fresh counter that has it: one
// not below next. It takes the same time whether, and where, it finds the code.
func (k *Key) Find(code uint32, from uint64, n int, next uint64) (at uint64, m Match) {
	for i := range n {
		counter := from + uint64(i)
		same := subtle.ConstantTimeEq(int32(k.Code(counter)), int32(code)) == 1
		switch {
		case same && counter < next:
			m = max(m, Spent)
		case same && m != Fresh:
			at, m = counter, Fresh
		}
	}
	return at, m
}

// FindPair looks for two codes that follow each other, among those of the n counters beginning with from and the one after
// them, and returns the first counter whose code is the first of the two. It takes the same time whether, and where, it finds
// them.
func (k *Key) FindPair(first, second uint32, from uint64, n int) (at uint64, ok bool) {
	before := k.Code(from)
	for i := range n {
		counter := from + uint64(i)
		after := k.Code(counter + 1)
		same := subtle.ConstantTimeEq(int32(before), int32(first)) & subtle.ConstantTimeEq(int32(after), int32(second))
		if same == 1 && !ok {
			at, ok = counter, true
		}
		before = after
	}
	return at, ok
}
