package password

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const (
	// saltSize and tagSize are those of new hashes: 128 and 256 bits, as RFC 9106 section 4 recommends.
	saltSize = 16
	tagSize  = 32
)

// A Hash is a parsed hash string. It prints its algorithm and costs only, through every fmt verb and log/slog, also from
// inside another struct; [Hash.Encode] gives the string to store. The zero Hash matches no secret and encodes to "". A
// Hash is immutable and safe for concurrent use.
type Hash struct {
	// An interface that holds a pointer: printers that walk unexported fields by reflection find an address.
	s scheme
}

// A scheme is a hash of one algorithm and spelling.
type scheme interface {
	encode() string
	costs() string // for people: the algorithm and its costs, without salt and digest
	verify(secret string) bool
}

// New hashes a secret with argon2id and a new salt. It does not ask whether the parameters are strong, which is
// [Params.Validate]'s to say when a policy is made; but it panics on ones that argon2 is not defined for or that
// [Parse] would refuse, since no guess could be checked against such a hash. A long secret costs one pass of a fast
// hash more; bound its length before.
func New(p Params, secret string) Hash {
	if err := p.possible(); err != nil {
		panic(fmt.Sprintf("password: New with parameters that cannot be used: %v", err))
	}
	h := &argon2Hash{variant: argon2id, Params: p, salt: make([]byte, saltSize)}
	_, _ = rand.Read(h.salt) // never fails: it ends the program instead
	h.tag = h.derive(secret, tagSize)
	return Hash{h}
}

// Encode returns the string to store: [Parse] of it gives the same hash, and for a parsed hash it is the string that was
// parsed, byte for byte.
func (h Hash) Encode() string {
	if h.s == nil {
		return ""
	}
	return h.s.encode()
}

// Verify reports whether the hash is the secret's, in time that does not depend on where the digests differ. It costs what
// the hash's parameters say, also for a secret that cannot match; run it within a [Gate].
//
// A secret is compared as received. What another system's algorithm cannot tell apart does not match: bcrypt drops what is
// beyond 72 bytes, and bcrypt, PBKDF2 and scrypt read trailing zero bytes like none, so secrets of more than 72 bytes
// (bcrypt) or with a zero byte (all three) are refused. A subject with such a secret in an old system needs to recover it.
func (h Hash) Verify(secret string) bool {
	return h.s != nil && h.s.verify(secret)
}

// Current reports whether the hash is as New would make it now: argon2id, the same parameters, and a salt and digest of
// full length. If not, make a new one of the secret that has just been verified.
func (h Hash) Current(p Params) bool {
	a, ok := h.s.(*argon2Hash)
	return ok && a.variant == argon2id && a.Params == p && len(a.salt) >= saltSize && len(a.tag) == tagSize
}

// String returns the algorithm and its costs, "argon2id(m=19456,t=2,p=1)".
func (h Hash) String() string {
	if h.s == nil {
		return "none"
	}
	return h.s.costs()
}

// GoString returns what String does.
func (h Hash) GoString() string { return h.String() }

// Format writes what String returns for every verb and flag.
func (h Hash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// LogValue returns what String does.
func (h Hash) LogValue() slog.Value { return slog.StringValue(h.String()) }

// MarshalText always returns an error: a record holds what [Hash.Encode] returns, and a Hash that was put into one by
// mistake would be read back as the zero Hash.
func (h Hash) MarshalText() ([]byte, error) {
	return nil, errors.New("password: a Hash is stored as what its Encode method returns")
}

// same compares two digests of one length in constant time.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
