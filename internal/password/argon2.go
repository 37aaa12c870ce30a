package password

import (
	"fmt"
	"math"

	"golang.org/x/crypto/argon2"
)

// A variant of argon2, by its name in stored strings.
type variant string

const (
	argon2id variant = "argon2id"
	argon2i  variant = "argon2i" // checked only, never made
)

// argon2Hash is RFC 9106's argon2, version 1.3, without a secret key and associated data: the vault seals the string instead,
// which can be undone and done anew when keys rotate.
type argon2Hash struct {
	variant
	Params
	salt, tag []byte
}

func parseArgon2(v variant, fields []string) (scheme, error) {
	if len(fields) != 4 {
		return nil, malformed("wrong number of fields")
	}
	if fields[0] != "v=19" { // 1.3, the only one that x/crypto has; strings without a version are 1.0
		return nil, malformed("unknown version")
	}
	n, err := numbers(fields[1], "m", "t", "p")
	if err != nil {
		return nil, err
	}
	// Numbers that do not fit the types are over the caps as well, and stay so as the types' largest values.
	h := &argon2Hash{variant: v, Params: Params{
		Memory:  uint32(min(n[0], math.MaxUint32)),
		Time:    uint32(min(n[1], math.MaxUint32)),
		Threads: uint8(min(n[2], math.MaxUint8)),
	}}
	if err := h.possible(); err != nil {
		return nil, err
	}
	if h.salt, h.tag, err = saltAndTag(rawStd, fields[2], fields[3]); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *argon2Hash) encode() string {
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", h.variant, argon2.Version, h.Memory, h.Time, h.Threads,
		rawStd.EncodeToString(h.salt), rawStd.EncodeToString(h.tag))
}

func (h *argon2Hash) costs() string {
	return fmt.Sprintf("%s(m=%d,t=%d,p=%d)", h.variant, h.Memory, h.Time, h.Threads)
}

func (h *argon2Hash) verify(secret string) bool { return same(h.derive(secret, len(h.tag)), h.tag) }

func (h *argon2Hash) derive(secret string, size int) []byte {
	if h.variant == argon2i {
		return argon2.Key([]byte(secret), h.salt, h.Time, h.Memory, h.Threads, uint32(size))
	}
	return argon2.IDKey([]byte(secret), h.salt, h.Time, h.Memory, h.Threads, uint32(size))
}
