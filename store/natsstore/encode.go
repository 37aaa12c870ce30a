package natsstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"time"

	"github.com/civicpin/civicpin/store"
)

// dots is how many single characters behind a key's first "/" become a token of their own, see encodeKey.
const dots = 2

// encodeKey returns a key as the part of a subject that names it within its bucket. The engine divides subjects at periods
// and allows neither an empty part nor another character than a store key's and "=". So "=" stands for the key's own
// periods, and periods stand behind the first "/" and behind each of the two characters that follow it: "login/3fa9" is
// "login/.3.f.a9". The engine can then list what begins with "login/3" without listing everything. Two keys never have one
// encoding, since removing the periods and putting one for each "=" gives the key back.
func encodeKey(key string) string {
	head, tail, _ := strings.Cut(key, "/")
	if len(head) == len(key) {
		return escape(key)
	}
	var b strings.Builder
	b.WriteString(escape(head))
	b.WriteByte('/')
	for range dots {
		if tail == "" {
			break
		}
		b.WriteByte('.')
		b.WriteString(escape(tail[:1]))
		tail = tail[1:]
	}
	if tail != "" {
		b.WriteByte('.')
		b.WriteString(escape(tail))
	}
	return b.String()
}

// decodeKey undoes encodeKey. What encodeKey never returns gives an error: it was not written by this package.
func decodeKey(s string) (string, error) {
	key := strings.ReplaceAll(strings.ReplaceAll(s, ".", ""), "=", ".")
	if store.CheckKey(key) != nil || encodeKey(key) != s {
		return "", errors.New("natsstore: a subject that is no key's")
	}
	return key, nil
}

func escape(s string) string { return strings.ReplaceAll(s, ".", "=") }

// filter returns a pattern of subjects that matches every longer key that begins with prefix, and perhaps others.
func filter(prefix string) string {
	head, tail, cut := strings.Cut(prefix, "/")
	switch {
	case !cut:
		return ">" // keys may go on without a "/", within the first token
	case len(tail) > dots:
		return encodeKey(head+"/"+tail[:dots]) + ".*" // patterns match whole tokens, and the last one has more of the prefix
	default:
		return encodeKey(prefix) + ".>"
	}
}

// bucketOf returns which of n buckets a key is in. It must never change: keys would be looked for in the wrong place.
func bucketOf(key string, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum64() % uint64(n))
}

const (
	// valueFormat is the first byte of every stored value.
	valueFormat = 1
	// header is that byte and the expiry.
	header = 1 + 8
	// never stands for a record without an expiry.
	never = math.MinInt64
)

// encodeValue returns a record's value as it is stored: the format, the expiry in milliseconds since 1970 rounded up, for
// it must not come back earlier, and the bytes.
func encodeValue(value []byte, expires time.Time) ([]byte, error) {
	ms := int64(never)
	if !expires.IsZero() {
		const most = math.MaxInt64/1000 - 1 // seconds: 292 million years either way
		if s := expires.Unix(); s > most || s < -most {
			return nil, errors.New("natsstore: expiry out of range")
		}
		ms = expires.UnixMilli()
		if expires.Nanosecond()%int(time.Millisecond) != 0 {
			ms++
		}
		if time.UnixMilli(ms).UTC().IsZero() {
			ms++ // a fraction before the zero time must not become "never"
		}
	}
	b := make([]byte, header, header+len(value))
	b[0] = valueFormat
	binary.BigEndian.PutUint64(b[1:], uint64(ms))
	return append(b, value...), nil
}

// decodeValue undoes encodeValue. The value is never nil, and aliases b.
func decodeValue(b []byte) ([]byte, time.Time, error) {
	if len(b) < header || b[0] != valueFormat {
		return nil, time.Time{}, fmt.Errorf("natsstore: a stored value that is not of format %d", valueFormat)
	}
	ms := int64(binary.BigEndian.Uint64(b[1:]))
	if ms == never {
		return b[header:], time.Time{}, nil
	}
	return b[header:], time.UnixMilli(ms).UTC(), nil
}

const (
	// least is the shortest time to live that the engine is asked for. Tests and simulations run vaults whose clocks are far
	// from the engine's; what they wrote should not vanish under their hands.
	least = time.Hour
	// slack is how much later than its expiry a record may be dropped, so that no rounding makes it earlier.
	slack = 10 * time.Second
	// most is what the engine's clock can count on from any time in this century.
	most = 100 * 365 * 24 * time.Hour
)

// timeToLive returns for how long the engine must keep a record, as it wants to be told: whole seconds, "" for ever.
func timeToLive(expires, now time.Time) string {
	if expires.IsZero() {
		return ""
	}
	left := expires.Sub(now)
	if left > most {
		return ""
	}
	return seconds(max(left+slack, least))
}

func seconds(d time.Duration) string {
	return fmt.Sprintf("%ds", (d+time.Second-1)/time.Second)
}
