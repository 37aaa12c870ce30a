package store

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
)

// Keys are the vault's keys. Keep them apart from the store: in a key management service, or in a file that the database's
// backups do not hold (NIST SP 800-63B-4 3.1.1.2; OWASP ASVS 13.3.1). Printing Keys shows no key.
type Keys struct {
	// Index is 32 random bytes. It hides subjects in storage keys and never changes: under another index key, every
	// subject is unknown.
	Index civicpin.Secret
	// Sealing holds the keys that seal values. The first one seals; all of them open. To rotate, put a new one behind the
	// first, in every process; then in front, in every process; and keep the others until [Vault.Reseal] has finished.
	Sealing []SealingKey
}

// A SealingKey is a Sealer with its id. An id is 1 to 32 ASCII letters, digits and "-_.", and is never used for another key.
type SealingKey struct {
	ID     string // names the key in each sealed value
	Sealer Sealer // seals and opens under the key
}

// A Sealer encrypts and authenticates: an AEAD, perhaps in a hardware module. [XChaCha20Poly1305] makes the usual one. It
// must be safe for concurrent use, and must not keep the slices that it is given.
type Sealer interface {
	// Seal returns the sealed plaintext, with the nonce that Open needs, bound to the associated data. An error means that nothing
	// was sealed.
	Seal(ctx context.Context, plaintext, associated []byte) ([]byte, error)
	// Open returns the plaintext. If the sealed bytes or the associated data differ by one bit, the error matches
	// [ErrUnreadable]; any other error means that the Sealer could not work, as when a module does not answer.
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

// XChaCha20Poly1305 returns a [Sealer] with that AEAD under a key of 32 random bytes. Its nonces are random, 192 bits long, and
// do not run out, however many values are sealed. A key of another length is an error.
func XChaCha20Poly1305(key civicpin.Secret) (Sealer, error) {
	aead, err := chacha20poly1305.NewX([]byte(key.Reveal()))
	if err != nil {
		return nil, errors.New("store: a sealing key is 32 bytes")
	}
	// Behind a closure, so that printing the sealer does not print the key.
	return xchacha{func() cipher.AEAD { return aead }}, nil
}

type xchacha struct{ aead func() cipher.AEAD }

func (x xchacha) Seal(_ context.Context, plaintext, associated []byte) ([]byte, error) {
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plaintext)+chacha20poly1305.Overhead)
	_, _ = rand.Read(nonce) // never fails
	return x.aead().Seal(nonce, nonce, plaintext, associated), nil
}

func (x xchacha) Open(_ context.Context, sealed, associated []byte) ([]byte, error) {
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return nil, ErrUnreadable
	}
	n := chacha20poly1305.NonceSizeX
	plain, err := x.aead().Open(nil, sealed[:n], sealed[n:], associated)
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}

// ParseKeys reads keys from text: the line "civicpin keys 1", a line "index KEY", and one or more lines "seal ID KEY", each KEY
// being 32 bytes in base64 without padding. The first seal line is the key that seals; [AddKey], [PromoteKey] and [RemoveKey]
// change these lines. Blank lines and lines that begin with "#" are skipped. Errors match [ErrInvalidKeyFile], do not quote the
// text, and also refuse one key in two lines.
func ParseKeys(text string) (Keys, error) {
	if len(text) > maxKeyFile { // before a long text costs anything
		return Keys{}, errKeyFileSize
	}
	return parseKeys(text)
}

// parseKeys is ParseKeys for a text that is not too long.
func parseKeys(text string) (Keys, error) {
	var keys Keys
	header := false
	seen := make(map[string]bool)
	n := 0
	for line := range strings.Lines(text) {
		n++
		bad := func(why string) (Keys, error) { return Keys{}, keyTextError(fmt.Sprintf("keys, line %d: %s", n, why)) }
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if !header {
			if line != keyFileHeader {
				return bad("does not begin a key file")
			}
			header = true
			continue
		}
		fields := strings.Fields(line)
		key, err := base64.RawStdEncoding.Strict().DecodeString(fields[len(fields)-1])
		if err != nil || len(key) != chacha20poly1305.KeySize {
			return bad("no key of 32 bytes in base64 without padding")
		}
		if seen[string(key)] {
			return bad("a key that stands here already, under another name") // a rotation that is none
		}
		seen[string(key)] = true
		switch {
		case fields[0] == "index" && len(fields) == 2:
			if !keys.Index.IsZero() {
				return bad("a second index key")
			}
			keys.Index = civicpin.NewSecret(string(key))
		case fields[0] == "seal" && len(fields) == 3:
			sealer, err := XChaCha20Poly1305(civicpin.NewSecret(string(key)))
			if err != nil {
				return bad("unusable key")
			}
			keys.Sealing = append(keys.Sealing, SealingKey{ID: fields[1], Sealer: sealer})
		default:
			return bad(`neither "index KEY" nor "seal ID KEY"`)
		}
	}
	if !header {
		return Keys{}, keyTextError(`keys: no line "` + keyFileHeader + `"`)
	}
	return keys.checked()
}

// checked returns the keys if they are complete.
func (k Keys) checked() (Keys, error) {
	if err := k.validate(); err != nil {
		return Keys{}, err
	}
	return k, nil
}

func (k Keys) validate() error {
	if len(k.Index.Reveal()) != chacha20poly1305.KeySize {
		return keyTextError("the index key is not 32 bytes")
	}
	if len(k.Sealing) == 0 {
		return keyTextError("no sealing key")
	}
	seen := make(map[string]bool)
	for _, s := range k.Sealing {
		if s.Sealer == nil || !names.Valid(s.ID, 32) || seen[s.ID] {
			return keyTextError("a sealing key needs a sealer and an id of its own, 1 to 32 letters, digits and -_. of ASCII")
		}
		seen[s.ID] = true
	}
	return nil
}
