package redisstore

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/civicpin/civicpin/store"
)

// A record is stored as its version (8 bytes), its expiry (8 bytes of seconds since 1970 and 4 of nanoseconds, big endian), and
// its value.
const (
	versionLen = 8
	headLen    = versionLen + 12
	// never stands in the place of the nanoseconds of a record that does not expire.
	never = math.MaxUint32
)

// newVersion returns 63 random bits, not all zero. Redis has no number that outlives a key; a counter in the record would
// begin again when it is created anew, and a writer of before would overwrite what it never saw.
func newVersion() store.Version {
	var b [versionLen]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if v := store.Version(binary.BigEndian.Uint64(b[:]) >> 1); v != 0 {
			return v
		}
	}
}

// encodeVersion returns a version as scripts compare it: nothing stands for no record.
func encodeVersion(v store.Version) []byte {
	if v == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, uint64(v))
}

func encode(r store.Record) []byte {
	b := make([]byte, 0, headLen+len(r.Value))
	b = append(b, encodeVersion(r.Version)...)
	if r.ExpiresAt.IsZero() {
		b = binary.BigEndian.AppendUint64(b, 0)
		b = binary.BigEndian.AppendUint32(b, never)
	} else {
		b = binary.BigEndian.AppendUint64(b, uint64(r.ExpiresAt.Unix()))
		b = binary.BigEndian.AppendUint32(b, uint32(r.ExpiresAt.Nanosecond()))
	}
	return append(b, r.Value...)
}

// decode undoes encode. It keeps b.
func decode(b []byte) (store.Record, error) {
	if len(b) < headLen {
		return store.Record{}, errors.New("redisstore: a stored record is too short")
	}
	r := store.Record{Version: store.Version(binary.BigEndian.Uint64(b)), Value: b[headLen:len(b):len(b)]}
	seconds, nanos := binary.BigEndian.Uint64(b[versionLen:]), binary.BigEndian.Uint32(b[versionLen+8:])
	if r.Version == 0 || r.Version > math.MaxInt64 || nanos != never && nanos >= 1e9 || nanos == never && seconds != 0 {
		return store.Record{}, errors.New("redisstore: a stored record was not written by this package")
	}
	if nanos != never {
		r.ExpiresAt = time.Unix(int64(seconds), int64(nanos)).UTC()
	}
	return r, nil
}

// deadline returns the millisecond in which Redis may drop a record, 0 for never: rounded up, so that it is never early. Redis
// takes no negative one, and the sixth decade from now is as good as never.
func deadline(expires time.Time) int64 {
	const farthest = 1 << 52 // milliseconds: the year 144,683; beyond, Lua's numbers are not exact
	if expires.IsZero() || expires.Unix() >= farthest/1000 {
		return 0
	}
	ms := expires.UnixMilli()
	if expires.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return max(ms, 1)
}
