package password

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// scryptHash is RFC 7914's scrypt. It is checked only, never made.
type scryptHash struct {
	ln, r, p  int // N is 2 to the ln-th
	salt, tag []byte
}

func parseScrypt(fields []string) (scheme, error) {
	if len(fields) != 3 {
		return nil, malformed("wrong number of fields")
	}
	n, err := numbers(fields[0], "ln", "r", "p")
	if err != nil {
		return nil, err
	}
	ln, r, p := n[0], n[1], n[2]
	switch {
	case ln < 1 || r < 1 || p < 1:
		return nil, malformed("no memory, no blocks or no lanes")
	case ln > maxScryptLN || r > maxScryptR || p > maxScryptP:
		return nil, tooCostly("memory, blocks or lanes")
	case ln >= 16*r: // RFC 7914 section 2: N is less than 2^(128*r/8)
		return nil, malformed("more memory than blocks allow")
	}
	bytes := uint64(128) << ln * r // no overflow within the limits above
	if bytes > MaxMemory<<10 || bytes*p > maxScryptWork<<10 {
		return nil, tooCostly("memory")
	}
	h := &scryptHash{ln: int(ln), r: int(r), p: int(p)}
	if h.salt, h.tag, err = saltAndTag(rawStd, fields[1], fields[2]); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *scryptHash) encode() string {
	return fmt.Sprintf("$scrypt$ln=%d,r=%d,p=%d$%s$%s", h.ln, h.r, h.p, rawStd.EncodeToString(h.salt),
		rawStd.EncodeToString(h.tag))
}

func (h *scryptHash) costs() string { return fmt.Sprintf("scrypt(ln=%d,r=%d,p=%d)", h.ln, h.r, h.p) }

// verify refuses zero bytes as [pbkdf2Hash] does: scrypt begins and ends with PBKDF2.
func (h *scryptHash) verify(secret string) bool {
	tag, err := h.derive(secret, len(h.tag))
	return err == nil && same(tag, h.tag) && !strings.Contains(secret, "\x00")
}

// derive gives an error for costs that scrypt is not defined for; parseScrypt lets none through.
func (h *scryptHash) derive(secret string, size int) ([]byte, error) {
	return scrypt.Key([]byte(secret), h.salt, 1<<h.ln, h.r, h.p, size)
}
