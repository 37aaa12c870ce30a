// Package shown makes and reads the values that say what a caller has shown: a right login, a known device, a step of a
// recovery. Only packages of this library make them. They are authentic by a keyed hash, so a portal can keep one in a session
// of its own and hand it back from another process.
package shown

import (
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// Valid is how long a value is good. After that the caller shows it again.
const Valid = 15 * time.Minute

// A Kind says what was shown. A later kind is a stronger proof.
type Kind int

// The kinds. The zero Kind is nothing.
const (
	Nothing Kind = iota
	Facts        // what a register knows of the subject, within a recovery
	Device       // a known device
	Run          // the steps of a recovery
	Login        // the secret
)

// names are what the kinds are called in values.
var names = map[Kind]string{Facts: "facts", Device: "device", Run: "run", Login: "login"}

// String returns the name of the kind, for the names of records.
func (k Kind) String() string { return names[k] }

// A Value is what a caller has shown.
type Value struct {
	Kind Kind
	ID   string // which device; empty for the other kinds
}

// New returns the value as a text that only this library can make. An ID holds no full stop.
func New(v *store.Vault, subject civicpin.Subject, what Value) civicpin.Secret {
	at := strconv.FormatInt(v.Now().Unix(), 10)
	return civicpin.NewSecret(strings.Join([]string{what.Kind.String(), at, what.ID, sum(v, subject, what, at)}, "."))
}

// Open returns what a text shows of a subject, and Nothing if it is not authentic, about another subject, or too old.
func Open(v *store.Vault, subject civicpin.Subject, text civicpin.Secret) Value {
	raw := text.Reveal()
	if len(raw) > 128 || strings.Count(raw, ".") != 3 {
		return Value{}
	}
	fields := strings.Split(raw, ".")
	what := Value{ID: fields[2]}
	for kind, name := range names {
		if name == fields[0] {
			what.Kind = kind
		}
	}
	if subtle.ConstantTimeCompare([]byte(sum(v, subject, what, fields[1])), []byte(fields[3])) != 1 {
		return Value{}
	}
	seconds, err := strconv.ParseInt(fields[1], 10, 64)
	if age := v.Now().Sub(time.Unix(seconds, 0)); err != nil || age >= Valid || age < -time.Minute { // a clock that was ahead
		return Value{}
	}
	return what
}

func sum(v *store.Vault, subject civicpin.Subject, what Value, at string) string {
	h := v.Hash("shown", what.Kind.String(), string(subject), at, what.ID)
	return base64.RawURLEncoding.EncodeToString(h[:16])
}
