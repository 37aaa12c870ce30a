package recovery

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
)

// NewToken returns a token of a kind, of a record of its own.
func NewToken(kind byte, n int) string { return newToken(tokenKind(kind), newID(), n).text().Reveal() }

// Reparse reads a token and writes it again.
func Reparse(text string) (string, bool) {
	t, err := parseToken(civicpin.NewSecret(text))
	if err != nil {
		return "", false
	}
	return t.text().Reveal(), true
}

// Fits reports whether a token is the one of which a record keeps the hash of another.
func Fits(text, of string) bool {
	a, err1 := parseToken(civicpin.NewSecret(text))
	b, err2 := parseToken(civicpin.NewSecret(of))
	return err1 == nil && err2 == nil && a.fits(b.hash())
}

// Hashes returns how many hashes a service has run.
func Hashes(s *Service) int64 { return s.hashing.Total() }

// Forge returns the token of a kind, record and number whose verifier is all zeros, and the hash that a record keeps of it.
func Forge(kind byte, id string, n int) (civicpin.Secret, []byte) {
	t := token{kind: tokenKind(kind), selector: id, n: n, verifier: make([]byte, verifierSize)}
	return t.text(), t.hash()
}

// Plain returns all runs, contacts and enrolled answers as they are before they are sealed.
func Plain(ctx context.Context, s *Service) (string, error) {
	runs, err1 := testkit.Plain(ctx, s.runs)
	books, err2 := testkit.Plain(ctx, s.books)
	answers, err3 := testkit.Plain(ctx, s.answers)
	return runs + books + answers, errors.Join(err1, err2, err3)
}
