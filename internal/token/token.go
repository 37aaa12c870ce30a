package recovery

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/civicpin/civicpin"
)

// tokenKind says what a token opens, so that one never opens another thing.
type tokenKind byte

const (
	ticketToken  tokenKind = 't' // the right to go on with a run
	linkToken    tokenKind = 'l' // proves that a run's message was read
	disownToken  tokenKind = 'd' // "it was not me", of a run
	contactToken tokenKind = 'c' // proves a new contact
	undoToken    tokenKind = 'u' // undoes a change of contacts
)

const (
	verifierSize = 32 // 256 bits: secret, kept as its SHA-256 only (OWASP ASVS 11.5.1 asks for 128)
)

// A token is selector.verifier: the selector finds a record without comparing anything secret, and the verifier is compared as
// a hash, in constant time. Guesses at 256 bits need not be counted.
type token struct {
	kind     tokenKind
	selector string // base32, as crypto/rand.Text: the id of the record
	n        int    // which token of that record
	verifier []byte
}

// newID names a run or a change: 128 random bits in base32.
func newID() string { return rand.Text() }

func newToken(kind tokenKind, id string, n int) token {
	t := token{kind: kind, selector: id, n: n, verifier: make([]byte, verifierSize)}
	_, _ = rand.Read(t.verifier) // never fails
	return t
}

// text is the token as it travels: letters, digits, "-", "_" and one period, so that it stands in an address's fragment.
func (t token) text() civicpin.Secret {
	b64 := base64.RawURLEncoding
	return civicpin.NewSecret(string(t.kind) + t.selector + b64.EncodeToString([]byte{byte(t.n)}) + "." + b64.EncodeToString(t.verifier))
}

// idLength is the length of an id: 26 characters of base32.
const idLength = 26

// validID reports whether s can be an id that newID made.
func validID(s string) bool {
	return len(s) == idLength && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// parseToken undoes text, strictly: each token has one form. What follows the wrong form is ErrGone, as for a token that is not
// known.
func parseToken(s civicpin.Secret) (token, error) {
	text := s.Reveal()
	head, tail, ok := strings.Cut(text, ".")
	if !ok || len(text) != 1+idLength+2+1+43 || len(head) != 1+idLength+2 || strings.ContainsAny(text, "\r\n") {
		return token{}, ErrGone
	}
	kind := tokenKind(head[0])
	switch kind {
	case ticketToken, linkToken, disownToken, contactToken, undoToken:
	default:
		return token{}, ErrGone
	}
	b64 := base64.RawURLEncoding.Strict()
	n, err1 := b64.DecodeString(head[1+idLength:])
	verifier, err2 := b64.DecodeString(tail)
	id := head[1 : 1+idLength]
	if err1 != nil || err2 != nil || len(n) != 1 || len(verifier) != verifierSize || !validID(id) {
		return token{}, ErrGone
	}
	return token{kind: kind, selector: id, n: int(n[0]), verifier: verifier}, nil
}

// hash is what a record keeps of a token. The kind and number are in it: a token of one kind fits no other's hash.
func (t token) hash() []byte {
	h := sha256.New()
	h.Write([]byte{byte(t.kind), byte(t.n)})
	h.Write([]byte(t.selector))
	h.Write(t.verifier)
	return h.Sum(nil)
}

// fits reports whether the token is the one of which a record keeps the hash.
func (t token) fits(hash []byte) bool { return subtle.ConstantTimeCompare(hash, t.hash()) == 1 }
