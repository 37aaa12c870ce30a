package sqlstore

import (
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/civicpin/civicpin/store"
)

// encodeKey returns a key as it is stored: its bytes. Binary columns order as bytes do, so rows in the order of the primary
// key are keys in the order that [store.Lister] asks for.
func encodeKey(key string) []byte { return []byte(key) }

// decodeKey undoes encodeKey. A row under something that never was a key was not written by this package.
func decodeKey(b []byte) (string, error) {
	key := string(b)
	if err := store.CheckKey(key); err != nil {
		return "", fmt.Errorf("sqlstore: stored key: %v", err) // not %w: the caller's key is not the invalid one
	}
	return key, nil
}

// keyRange returns bounds such that from <= key < to for exactly the keys that begin with prefix and are greater than after.
func keyRange(prefix, after string) (from, to []byte) {
	// The least string greater than after is after with a zero byte.
	from = []byte(max(prefix, after+"\x00"))
	if prefix == "" {
		return from, []byte{0xff} // keys are ASCII
	}
	// The least string greater than all that begin with prefix is prefix with its last byte raised. A last byte 0xff, which
	// no key has, wraps around and gives an empty range.
	to = []byte(prefix)
	to[len(to)-1]++
	return from, to
}

// newVersion returns 63 random bits, not all zero. A counter in the row would begin again when a key is deleted and created
// anew, and a write held back since before the deletion would then match a state that it never saw (the ABA problem). A
// counter in a table of its own would be a second row for every write, which all writers wait for. Random versions need
// neither; that two of the versions that one key had are the same has a chance of one in 2^63 for each pair, also when rows
// come back from a backup.
func newVersion() int64 {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if v := int64(binary.BigEndian.Uint64(b[:]) >> 1); v != 0 {
			return v
		}
	}
}

// decodeVersion returns a stored version, which only this package ever wrote.
func decodeVersion(v int64) (store.Version, error) {
	if v <= 0 {
		return 0, errors.New("sqlstore: stored version is not positive")
	}
	return store.Version(v), nil
}

// mostSeconds is how far from 1970 a time may be that is stored: 292 million years.
const mostSeconds = math.MaxInt64/1000 - 1

// encodeExpires returns a time in milliseconds since 1970, rounded up, for an expiry must not come back earlier; NULL for
// the zero time, which means never.
func encodeExpires(t time.Time) (sql.NullInt64, error) {
	if t.IsZero() {
		return sql.NullInt64{}, nil
	}
	if s := t.Unix(); s > mostSeconds || s < -mostSeconds {
		return sql.NullInt64{}, errors.New("sqlstore: expiry out of range")
	}
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	if time.UnixMilli(ms).UTC().IsZero() {
		ms++ // a fraction before the zero time must not become "never"
	}
	return sql.NullInt64{Int64: ms, Valid: true}, nil
}

// floorMillis returns a time in milliseconds since 1970, rounded down: what is stored as at most that had expired by then.
func floorMillis(t time.Time) int64 {
	switch s := t.Unix(); {
	case s > mostSeconds:
		return math.MaxInt64
	case s < -mostSeconds:
		return math.MinInt64
	}
	return t.UnixMilli()
}

// decodeExpires undoes encodeExpires.
func decodeExpires(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64).UTC()
}
