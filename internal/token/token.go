// Package token makes and reads the tokens that packages contact and recovery send and hand out. A token finds its record by a
// selector, without comparing anything secret, and is then compared as a hash.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
)

var (
	// ErrGone says that a token leads nowhere.
	ErrGone = errors.New("civicpin: the token is unknown, was used, or has ended")
	// ErrExpired says that a right token came too late. Only its holder is told.
	ErrExpired = errors.New("civicpin: the token came too late")
)

// A Kind says what a token opens. A token of one kind never opens anything of another.
type Kind byte

// The kinds.
const (
	Ticket    Kind = 't' // goes on with a run
	Redeem    Kind = 'l' // proves that a run's message was read
	Repudiate Kind = 'd' // repudiates a run: "it was not me"
	Contact   Kind = 'c' // proves a new contact
	Undo      Kind = 'u' // undoes a change of contacts
)

// VerifierSize is the length of a verifier in bytes: 256 bits, kept as their SHA-256 only (OWASP ASVS 11.5.1 asks for 128).
const VerifierSize = 32

// A Token is selector.verifier. Guesses at 256 bits need not be counted.
type Token struct {
	Kind     Kind
	Selector string // the id of the record, as [NewID] makes it
	N        int    // the number of the token within its record, 0 to 255
	Verifier []byte
}

// NewID returns an id for a record: 128 random bits in base32.
func NewID() string { return rand.Text() }

// New returns a new token of a record.
func New(kind Kind, id string, n int) Token {
	t := Token{Kind: kind, Selector: id, N: n & 0xff, Verifier: make([]byte, VerifierSize)}
	_, _ = rand.Read(t.Verifier) // never fails
	return t
}

// Text returns the token as it travels: letters, digits, "-", "_" and one period, so that it may stand in a URL's fragment.
func (t Token) Text() civicpin.Secret {
	b64 := base64.RawURLEncoding
	number, verifier := b64.EncodeToString([]byte{byte(t.N)}), b64.EncodeToString(t.Verifier)
	return civicpin.NewSecret(string(t.Kind) + t.Selector + number + "." + verifier)
}

// idLength is the length of an id: 26 characters of base32.
const idLength = 26

// ValidID reports whether s has the form of an id that NewID returns.
func ValidID(s string) bool {
	return len(s) == idLength && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// Parse undoes Text, strictly: each token has one form. A malformed token gives ErrGone, as one does that does not exist, and
// as one of another kind, if kinds are given.
func Parse(s civicpin.Secret, kinds ...Kind) (Token, error) {
	text := s.Reveal()
	head, tail, ok := strings.Cut(text, ".")
	if !ok || len(text) != 1+idLength+2+1+43 || len(head) != 1+idLength+2 || strings.ContainsAny(text, "\r\n") {
		return Token{}, ErrGone
	}
	if len(kinds) == 0 {
		kinds = []Kind{Ticket, Redeem, Repudiate, Contact, Undo}
	}
	kind := Kind(head[0])
	if !slices.Contains(kinds, kind) {
		return Token{}, ErrGone
	}
	b64 := base64.RawURLEncoding.Strict()
	n, err1 := b64.DecodeString(head[1+idLength:])
	verifier, err2 := b64.DecodeString(tail)
	id := head[1 : 1+idLength]
	if err1 != nil || err2 != nil || len(n) != 1 || len(verifier) != VerifierSize || !ValidID(id) {
		return Token{}, ErrGone
	}
	return Token{Kind: kind, Selector: id, N: int(n[0]), Verifier: verifier}, nil
}

// Hash returns what a record keeps of the token. The hash covers kind and number, so a token of one kind fits no hash of
// another.
func (t Token) Hash() []byte {
	h := sha256.New()
	h.Write([]byte{byte(t.Kind), byte(t.N)})
	h.Write([]byte(t.Selector))
	h.Write(t.Verifier)
	return h.Sum(nil)
}

// Fits reports whether hash is this token's, in constant time.
func (t Token) Fits(hash []byte) bool { return subtle.ConstantTimeCompare(hash, t.Hash()) == 1 }
