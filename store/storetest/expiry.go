package storetest

import (
	"errors"
	"time"

	"github.com/civicpin/civicpin/store"
)

// sameExpiry checks an expiry that came back.
func (f *fixture) sameExpiry(who string, put, got time.Time) {
	f.Helper()
	switch late := got.Sub(put); {
	case put.IsZero():
		if !got.IsZero() {
			f.Errorf("%s: an expiry of %v, none was put", who, got)
		}
	case got.IsZero():
		f.Errorf("%s: no expiry, %v was put", who, put)
	case late < 0:
		f.Errorf("%s: an expiry %v earlier than the one that was put, %v", who, -late, put)
	case late > time.Second:
		f.Errorf("%s: an expiry %v later than the one that was put, %v", who, late, put)
	}
}

func (f *fixture) keepsExpiry(expires time.Time) {
	f.Helper()
	key := unique()
	f.putRecord(key, store.Record{Value: []byte("x"), ExpiresAt: expires})
	f.sameExpiry("Get", expires, f.get(key).ExpiresAt)
}

func expiryKept(f *fixture) {
	second := time.Now().Add(time.Hour).Truncate(time.Second)
	for _, part := range []time.Duration{0, 1, 999, time.Microsecond, 499_999_999, 500_000_001, 999_000_000, 999_999_999} {
		f.keepsExpiry(second.Add(part))
	}
	f.keepsExpiry(time.Now().Add(time.Hour)) // with a monotonic reading
}

// expiryFar has dates after the ends of 32-bit seconds, signed and not.
func expiryFar(f *fixture) {
	for _, year := range []int{2038, 2039, 2107, 2200} {
		f.keepsExpiry(time.Date(year, 2, 28, 23, 59, 59, 999_999_999, time.UTC))
	}
}

func expiryZero(f *fixture) {
	f.keepsExpiry(time.Time{})
}

func expiryReplaced(f *fixture) {
	key := unique()
	var v store.Version
	soon := time.Now().Add(time.Hour)
	for _, expires := range []time.Time{soon, soon.Add(time.Hour), {}, soon.Add(-time.Minute), soon, {}} {
		v = f.putRecord(key, store.Record{Value: []byte("x"), Version: v, ExpiresAt: expires})
		f.sameExpiry("Get after a replacement", expires, f.get(key).ExpiresAt)
	}
}

func expiryZones(f *fixture) {
	at := time.Now().Add(time.Hour)
	for _, hours := range []int{-12, -5, 0, 1, 14} {
		f.keepsExpiry(at.In(time.FixedZone("", hours*3600+1800)))
	}
}

func expiryListed(f *fixture) {
	prefix := unique() + "/"
	expires := time.Now().Add(time.Hour)
	f.putRecord(prefix+"a", store.Record{Value: []byte("x"), ExpiresAt: expires})
	f.putRecord(prefix+"b", store.Record{Value: []byte("x")})
	items := f.list(prefix, "")
	if len(items) != 2 {
		f.Fatalf("List yields %d items, want 2", len(items))
	}
	f.sameExpiry("List", expires, items[0].ExpiresAt)
	f.sameExpiry("List", time.Time{}, items[1].ExpiresAt)
}

// expiryNotBefore has times to live below a second, which an engine that counts whole seconds may take for none.
func expiryNotBefore(f *fixture) {
	for _, ttl := range []time.Duration{900 * time.Millisecond, 1400 * time.Millisecond, time.Minute} {
		key := unique()
		expires := time.Now().Add(ttl)
		f.putRecord(key, store.Record{Value: []byte("x"), ExpiresAt: expires})
		_, err := f.store.Get(f.Context(), key)
		if err != nil && time.Now().Before(expires.Add(-ttl/2)) { // the engine's clock may differ a little
			f.Errorf("Get within %v of putting a record that lives %v: %v", ttl/2, ttl, err)
		}
	}
}

func expiryWhole(f *fixture) {
	key := unique()
	expires := time.Now().Add(-time.Minute)
	v := f.putRecord(key, store.Record{Value: []byte("whole"), ExpiresAt: expires})
	r, err := f.store.Get(f.Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		f.Fatalf("Get of an expired record: error %v, want none or ErrNotFound", err)
	}
	f.sameValue("Get of an expired record", r.Value, []byte("whole"))
	f.sameExpiry("Get of an expired record", expires, r.ExpiresAt)
	if r.Version != v {
		f.Errorf("Get of an expired record: version %d, want %d", r.Version, v)
	}
	if err := f.store.Delete(f.Context(), key, v); err != nil && !errors.Is(err, store.ErrConflict) {
		f.Errorf("Delete of an expired record: error %v, want none or ErrConflict", err)
	}
	f.missing(key)
}
