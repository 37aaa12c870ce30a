package recovery

import "github.com/civicpin/civicpin"

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
