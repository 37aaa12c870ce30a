package token

import (
	"crypto/subtle"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin/internal/letter"
)

// MaxLinks is how many links of one record may be outstanding, so that slow mail does not kill the older link.
const MaxLinks = 3

// A Link is an outstanding token, with the typed code that is its other face. It is stored.
type Link struct {
	N    int    `json:"n"`
	Hash []byte `json:"hash,omitempty"` // of the token; empty for a code without a link
	Tag  []byte `json:"tag,omitempty"`  // keyed hash of the code; empty for a link without a code
	// To is where the token was sent, so that it proves that address and no other.
	To      letter.Contact `json:"to"`
	Expires time.Time      `json:"expires"`
}

// Is reports whether a token is the link's.
func (l *Link) Is(t Token) bool { return l.N == t.N && len(l.Hash) > 0 && t.Fits(l.Hash) }

// Sum returns a keyed hash of all that has to be right about a typed code: what the names say, the number of the link, where it
// went, and the code. It lives for a day at most, under the record's seal; see otp.Codes.
func (l *Link) Sum(hash func(purpose string, parts ...string) [32]byte, purpose, text string, names ...string) []byte {
	h := hash(purpose, slices.Concat(names, []string{strconv.Itoa(l.N), string(l.To.Channel), l.To.Address, text})...)
	return h[:]
}

// Typed returns which of the links a typed code belongs to by its Sum, -1 if to none. All are compared.
func Typed(links []Link, text string, sum func(*Link) []byte) int {
	found := -1
	for i := range links {
		if subtle.ConstantTimeCompare(sum(&links[i]), links[i].Tag) == 1 && text != "" {
			found = i
		}
	}
	return found
}

// Push returns the links with one more, the oldest dropped beyond MaxLinks.
func Push(links []Link, l Link) []Link {
	links = append(links, l)
	return slices.Clone(links[max(0, len(links)-MaxLinks):])
}

// Outstanding reports whether a link of that number is among the links.
func Outstanding(links []Link, n int) bool {
	return slices.ContainsFunc(links, func(l Link) bool { return l.N == n })
}
