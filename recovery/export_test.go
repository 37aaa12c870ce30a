package recovery

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
)

// Hashes returns how many hashes a service has run.
func Hashes(s *Service) int64 { return s.hashing.Total() }

// Forge returns the token of a kind, record and number whose verifier is all zeros, and the hash that a record keeps of it.
func Forge(kind byte, id string, n int) (civicpin.Secret, []byte) {
	t := token.Token{Kind: token.Kind(kind), Selector: id, N: n, Verifier: make([]byte, token.VerifierSize)}
	return t.Text(), t.Hash()
}

// Plain returns all runs, contacts and enrolled answers as they are before they are sealed.
func Plain(ctx context.Context, s *Service) (string, error) {
	kind, err := store.NewKind[contactbook.Book](s.vault, "contact.book")
	if err != nil {
		return "", err
	}
	runs, err1 := testkit.Plain(ctx, s.runs)
	books, err2 := testkit.Plain(ctx, kind)
	answers, err3 := testkit.Plain(ctx, s.answers)
	return runs + books + answers, errors.Join(err1, err2, err3)
}
