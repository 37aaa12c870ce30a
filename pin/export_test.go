package pin

import (
	"crypto/rand"

	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// NewCheap is New with hashes that cost next to nothing, which no policy allows: for tests that make thousands.
func NewCheap(v *store.Vault, out *outbox.Outbox, p Policy) (*Service, error) {
	s, err := New(v, out, p)
	if err != nil {
		return nil, err
	}
	s.policy.Hashing.Memory, s.policy.Hashing.Time, s.policy.Hashing.Threads = 8, 1, 1
	s.dummy = password.New(s.policy.hashParams(), rand.Text())
	return s, nil
}
