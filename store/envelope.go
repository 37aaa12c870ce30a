package store

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
)

// envelope is what is sealed: the value with whose it is and how long it counts.
type envelope struct {
	Subject civicpin.Subject `json:"s,omitempty"`
	ID      string           `json:"i,omitempty"`
	Expires int64            `json:"x"` // nanoseconds since 1970; never or zero for never
	// Mark is random, so that no two writes are alike, whatever the sealer does: with one that gives equal bytes for equal
	// values, the loser of a race would take the winner's record for its own.
	Mark []byte `json:"w,omitempty"`
	// A record holds one of these: the value, or a padded one.
	Value  json.RawMessage `json:"v,omitempty"`
	Padded json.RawMessage `json:"p,omitempty"`
}

// padded is a value with its pad, which says nothing; see Kind.Padded. They are decoded together, since a byte of the value
// is looked at more often than one of the envelope: with the pad beside the value, a longer value would still take longer.
type padded struct {
	Value any    `json:"v"`
	Pad   string `json:"p"`
}

// decode decodes the value into what v points to.
func (env *envelope) decode(v any) error {
	if env.Padded != nil {
		return strictJSON(env.Padded, &padded{Value: v})
	}
	return strictJSON(env.Value, v)
}

// never is written as the expiry of a record without one. It has as many digits as any time from 2001 to 2262, so that a record
// that expires is as long as one that does not: a gate lets only the counts of unknown subjects expire.
const never = math.MaxInt64

// expires returns when the record expires, zero if never.
func (env *envelope) expires() time.Time {
	if env.Expires == 0 || env.Expires == never {
		return time.Time{}
	}
	return time.Unix(0, env.Expires)
}

func (k Kind[T]) encode(ctx context.Context, e *Entry[T]) ([]byte, error) {
	if e.Key == (Key{}) {
		return nil, k.noKey()
	}
	var value any = e.Value
	if k.pad > 0 {
		value = padded{Value: e.Value, Pad: "-"}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("store: encode %s: %w", k.name, err)
	}
	if !utf8.ValidString(string(e.Key.Subject)) || !utf8.ValidString(e.Key.ID) {
		return nil, fmt.Errorf("store: encode %s: %w: a key that is not UTF-8 could not be read back", k.name, civicpin.ErrInvalid)
	}
	env := envelope{Subject: e.Key.Subject, ID: e.Key.ID, Expires: never, Mark: make([]byte, 12)}
	_, _ = crand.Read(env.Mark) // never fails
	if !e.ExpiresAt.IsZero() {
		env.Expires = e.ExpiresAt.UnixNano()
		// Beyond the years 1678 to 2262 that number wraps around, and two values mean never.
		if env.Expires == 0 || env.Expires == never || !time.Unix(0, env.Expires).Equal(e.ExpiresAt) {
			return nil, fmt.Errorf("store: encode %s: %w: an expiry out of range", k.name, civicpin.ErrInvalid)
		}
	}
	if k.pad > 0 {
		env.Padded = text
	} else {
		env.Value = text
	}
	plain, err := json.Marshal(env)
	if err != nil {
		return nil, fmt.Errorf("store: encode %s: %w", k.name, err)
	}
	if k.pad > 0 { // the pad ends the text
		const end = `"}}`
		missing := (k.pad - len(plain)%k.pad) % k.pad
		plain = append(append(plain[:len(plain)-len(end)], bytes.Repeat([]byte("-"), missing)...), end...)
	}
	return k.vault.seal(ctx, k.name, k.vault.storageKey(k.name, e.Key), plain)
}

// decode opens a record. want is the key that it was read for, nil if it comes from a listing.
func (k Kind[T]) decode(ctx context.Context, storageKey string, want *Key, r Record) (Entry[T], error) {
	plain, _, err := k.vault.open(ctx, k.name, storageKey, r.Value)
	if err != nil {
		return Entry[T]{}, err
	}
	var env envelope
	if err := strictJSON(plain, &env); err != nil {
		return Entry[T]{}, fmt.Errorf("%w: %s envelope", ErrUnreadable, k.name)
	}
	e := Entry[T]{Key: Key{Subject: env.Subject, ID: env.ID}, version: r.Version}
	if k.vault.storageKey(k.name, e.Key) != storageKey || want != nil && e.Key != *want {
		return Entry[T]{}, fmt.Errorf("%w: %s record of another key", ErrUnreadable, k.name)
	}
	if e.ExpiresAt = env.expires(); !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(k.vault.Now()) {
		return Entry[T]{Key: e.Key, version: r.Version}, nil
	}
	if err := env.decode(&e.Value); err != nil {
		return Entry[T]{}, fmt.Errorf("%w: %s value", ErrUnreadable, k.name)
	}
	e.found, e.expires = true, e.ExpiresAt
	return e, nil
}

// strictJSON decodes exactly one value and accepts no field that v does not have. Its errors may quote the input, which
// is why callers do not pass them on.
func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("store: trailing data")
	}
	return nil
}
