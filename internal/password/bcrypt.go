package password

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptSalt   = 22 // characters: 16 bytes
	bcryptTag    = 31 // characters: 23 bytes
	bcryptSecret = 72 // bytes that the algorithm looks at
)

// bcryptEncoding is bcrypt's own base64. Left-over bits must be zero here too: x/crypto ignores them in the salt.
var bcryptEncoding = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").
	WithPadding(base64.NoPadding).Strict()

// bcryptHash is checked only, never made. The three prefixes name one algorithm: 2a and 2y came from mending errors of
// implementations that treated some secrets differently; 2x, which names one of those errors, is not read.
type bcryptHash struct {
	id   string
	cost int
	text []byte // the whole string
}

func parseBcrypt(id string, fields []string) (scheme, error) {
	if len(fields) != 2 || len(fields[0]) != 2 || len(fields[1]) != bcryptSalt+bcryptTag {
		return nil, malformed("wrong number or length of fields")
	}
	// Two digits always, so "04" here is the one number with a leading zero.
	cost, err := decimal(strings.TrimPrefix(fields[0], "0"))
	if err != nil {
		return nil, err
	}
	if cost < uint64(bcrypt.MinCost) || cost > uint64(bcrypt.MaxCost) {
		return nil, malformed("no such cost")
	}
	if cost > maxBcryptCost {
		return nil, tooCostly("rounds")
	}
	if _, _, err := saltAndTag(bcryptEncoding, fields[1][:bcryptSalt], fields[1][bcryptSalt:]); err != nil {
		return nil, err
	}
	return &bcryptHash{id: id, cost: int(cost), text: []byte("$" + id + "$" + strings.Join(fields, "$"))}, nil
}

func (h *bcryptHash) encode() string { return string(h.text) }

func (h *bcryptHash) costs() string { return fmt.Sprintf("bcrypt(%s,%d)", h.id, h.cost) }

// verify does the work first, so that a secret which is refused takes as long as one which is wrong. x/crypto cuts secrets
// after 72 bytes without a word: "the first 72 bytes, then anything" would be let in, and then stored as the new secret.
// A zero byte is what ends the key, and the key is repeated: "ab\x00ab" would pass for "ab".
func (h *bcryptHash) verify(secret string) bool {
	matches := bcrypt.CompareHashAndPassword(h.text, []byte(secret)) == nil
	return matches && len(secret) <= bcryptSecret && !strings.Contains(secret, "\x00")
}
