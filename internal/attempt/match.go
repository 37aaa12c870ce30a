package attempt

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/civicpin/civicpin/internal/blind"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/token"
)

// A Match is what a comparison found. Only the comparisons of this package make one that is right. The zero Match is not right.
//
// The comparisons take the context that [Place.Do] gave to compare. In a blind guess ([blind.Is]) they do their work, and
// their match is neither right nor spent.
type Match struct{ right, spent bool }

// found returns a match, or the zero Match of a guess that is not to be compared.
func found(ctx context.Context, m Match) Match { return m.If(!blind.Is(ctx)) }

// Right reports whether what was compared was the same.
func (m Match) Right() bool { return m.right }

// Spent reports whether a one-time code was the code of a counter that is over.
func (m Match) Spent() bool { return m.spent }

// If returns the match if ok is true, and the zero Match otherwise: for a comparison that was made for its time alone.
func (m Match) If(ok bool) Match {
	if !ok {
		return Match{}
	}
	return m
}

// Or returns the better of two matches.
func (m Match) Or(other Match) Match { return Match{m.right || other.right, m.spent || other.spent} }

// All returns a match that is right if there are matches and all of them are right.
func All(matches []Match) Match {
	right := len(matches) > 0
	for _, m := range matches {
		right = right && m.right
	}
	return Match{right: right}
}

// Bytes compares two hashes, or other values of a fixed length, in constant time.
func Bytes(ctx context.Context, a, b []byte) Match {
	return found(ctx, Match{right: subtle.ConstantTimeCompare(a, b) == 1})
}

// Text compares a text that a visitor chose with the subject's own. The empty text matches nothing.
func Text(ctx context.Context, given, own string) Match {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(own))
	return Bytes(ctx, a[:], b[:]).If(given != "")
}

// Among returns which value of a list is equal to v, -1 if none is. It compares all of them.
func Among(ctx context.Context, list [][]byte, v []byte) (at int, m Match) {
	at = -1
	for i := range list {
		if Bytes(ctx, list[i], v).right {
			at, m.right = i, true
		}
	}
	return at, m
}

// Hash compares a secret with a hash, and works off the other costs of the decoys, as [password.Decoys.Verify] does. Nil decoys
// are for a hash whose cost tells nothing: behind a proof.
func Hash(
	ctx context.Context, gate *password.Gate, decoys password.Decoys, hash password.Hash, secret string,
) (m Match, err error) {
	m.right, err = decoys.Verify(ctx, gate, hash, secret)
	return found(ctx, m), err
}

// Code looks for a one-time code as [oath.Key.Find] does, and returns the counter of a right one.
func Code(ctx context.Context, key *oath.Key, code uint32, from uint64, n int, next uint64) (at uint64, m Match) {
	at, is := key.Find(code, from, n, next)
	return at, found(ctx, Match{right: is == oath.Fresh, spent: is == oath.Spent})
}

// CodePair looks for two one-time codes as [oath.Key.FindPair] does, and returns the counter of the first.
func CodePair(ctx context.Context, key *oath.Key, first, second uint32, from uint64, n int) (at uint64, m Match) {
	at, m.right = key.FindPair(first, second, from, n)
	return at, found(ctx, m)
}

// Typed returns which link a typed code belongs to, as [token.Typed] does.
func Typed(ctx context.Context, links []token.Link, text string, sum func(*token.Link) []byte) (at int, m Match) {
	at = token.Typed(links, text, sum)
	if m = found(ctx, Match{right: at >= 0}); !m.right {
		at = -1
	}
	return at, m
}

// Told returns what a comparison elsewhere found, as that of a caller's register. Package structure of the tools lists the
// places that may call it.
func Told(ctx context.Context, right bool) Match { return found(ctx, Match{right: right}) }
