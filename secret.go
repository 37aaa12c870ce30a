package civicpin

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what a Secret shows to everything but Reveal.
const redacted = "[redacted]"

// A Secret holds a PIN, password, code or token. It prints as "[redacted]" through every fmt verb, through log/slog, and
// through encoding/json, encoding/xml and encoding/gob, also when it sits in an unexported field of another struct.
// Only [Secret.Reveal] gives the text.
//
// The zero Secret is empty. Secrets cannot be compared with ==, which would not take constant time; use [Secret.Equal].
// A Secret is immutable and safe for concurrent use. The text is not wiped from memory when the Secret is dropped: Go
// gives no way to do that for strings.
type Secret struct {
	// A closure, not a string: printers that walk unexported fields by reflection (fmt does, and cannot call methods
	// there) find a code address.
	reveal func() string
}

// NewSecret returns a Secret that holds s, byte for byte. Of the empty text it is the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return s }}
}

// Reveal returns the text. Call it where the text leaves the program, and nowhere else.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether two secrets hold the same bytes, in time that does not depend on where they differ. It is for
// "type it twice"; a guess is never checked with it, but through package lockout.
func (s Secret) Equal(other Secret) bool {
	a, b := sha256.Sum256([]byte(s.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]": a marshalled Secret cannot be read back. Never returns an error.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// GobEncode returns "[redacted]". Never returns an error.
func (s Secret) GobEncode() ([]byte, error) { return []byte(redacted), nil }
