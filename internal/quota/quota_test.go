package quota_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * hour
)

// start is where the clocks of these tests begin.
var start = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

func newClock() *testkit.Clock { return testkit.NewClock(start) }

func newVault(tb testing.TB, s store.Store, clock *testkit.Clock) *store.Vault {
	tb.Helper()
	v, err := store.OpenVault(tb.Context(), s, testkit.Keys(), &store.Options{Now: clock.Now})
	require.NoError(tb, err)
	return v
}

func newQuota(tb testing.TB, v *store.Vault, r civicpin.Rate) *quota.Quota {
	tb.Helper()
	q, err := quota.New(v, "messages", r, quota.Subject)
	require.NoError(tb, err)
	return q
}

func take(tb testing.TB, q *quota.Quota, key store.Key) error {
	_, err := q.Take(tb.Context(), key, 1)
	return err
}

// full returns the error of a key that is over its rate.
func full(tb testing.TB, err error) *quota.FullError {
	tb.Helper()
	return testkit.As[*quota.FullError](tb, err)
}

// TestQuotaConcurrent: exactly as many of a thousand at once as the limit, over two quotas of one name.
func TestQuotaConcurrent(t *testing.T) {
	vault := newVault(t, store.NewMemory(), newClock())
	quotas := []*quota.Quota{
		newQuota(t, vault, civicpin.Rate{Limit: 30, Window: hour}), newQuota(t, vault, civicpin.Rate{Limit: 30, Window: hour}),
	}
	var let atomic.Int32
	for _, err := range testkit.Crowd(1000, func(i int) error { return take(t, quotas[i%2], store.Key{ID: "a"}) }) {
		if err == nil {
			let.Add(1)
		} else {
			require.Equal(t, start.Add(2*minute), full(t, err).Until.UTC())
		}
	}
	require.EqualValues(t, 30, let.Load())
	require.NoError(t, take(t, quotas[0], store.Key{ID: "b"}))
	require.NoError(t, take(t, quotas[0], store.Key{Subject: "a"}))
}

// TestQuotaRefills: one more at each part of the window, and all of them after the whole.
func TestQuotaRefills(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock)
	q := newQuota(t, vault, civicpin.Rate{Limit: 4, Window: hour})
	k := store.Key{ID: "a"}
	burst := func() (n int) {
		for take(t, q, k) == nil {
			n++
		}
		return n
	}
	require.Equal(t, 4, burst())
	until := full(t, take(t, q, k)).Until
	require.Equal(t, start.Add(15*minute), until.UTC())
	clock.Add(15*minute - 1)
	require.Equal(t, 0, burst())
	clock.Add(1)
	require.Equal(t, 1, burst())
	clock.Add(30 * minute)
	require.Equal(t, 2, burst())
	clock.Add(hour)
	require.Equal(t, 4, burst())
	clock.Add(100 * day)
	require.Equal(t, 4, burst(), "no more is saved up than the limit")

	_, err := vault.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	require.Contains(t, testkit.Stored(t, memory), "quota.messages")
	clock.Add(2 * hour)
	_, err = vault.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	require.NotContains(t, testkit.Stored(t, memory), "quota.messages", "the window and the grace")
}

// TestQuotaClockBack: a clock that jumps back refills nothing.
func TestQuotaClockBack(t *testing.T) {
	clock := newClock()
	q := newQuota(t, newVault(t, store.NewMemory(), clock), civicpin.Rate{Limit: 2, Window: hour})
	for range 2 {
		require.NoError(t, take(t, q, store.Key{ID: "a"}))
	}
	clock.Add(-10 * minute)
	full(t, take(t, q, store.Key{ID: "a"}))
	clock.Add(10 * minute)
	full(t, take(t, q, store.Key{ID: "a"}))
}

// TestQuotaStore: the calls are as documented, and a store that fails lets nothing through.
func TestQuotaStore(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	q := newQuota(t, newVault(t, faults.Store(), newClock()), civicpin.Rate{Limit: 2, Window: hour})
	k := store.Key{ID: "a"}
	faults.FailAt(1, storetest.NotDone)
	require.ErrorIs(t, take(t, q, k), storetest.ErrInjected)
	faults.Reset()
	require.NoError(t, take(t, q, k))
	require.Equal(t, 2, faults.Calls())
	faults.FailAt(2, storetest.DoneLater)
	require.ErrorIs(t, take(t, q, k), storetest.ErrInjected)
	faults.Deliver(t.Context())
	faults.Reset()
	full(t, take(t, q, k)) // counted, as documented
	require.Equal(t, 1, faults.Calls())
}

func TestSourceKey(t *testing.T) {
	long := strings.Repeat("é", 200)
	for _, tc := range []struct{ address, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:c000:201", "192.0.2.1"},
		{"192.0.2.1:51234", "192.0.2.1"}, // http.Request.RemoteAddr has a port
		{"[::ffff:192.0.2.1]:51234", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"2001:DB8:1:2::", "2001:db8:1:2::/64"},
		{"2001:0db8:0001:0002::9", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"},
		{"2001:db8:1:3::9", "2001:db8:1:3::/64"},
		{"fe80::1%eth0", "fe80::/64"},
		{"fe80::2%eth1", "fe80::/64"},
		{"::ffff:192.0.2.1%eth0", "192.0.2.1"},
		{"::1", "::/64"},
		{"unix", "unix"},
		{"192.0.2.256", "192.0.2.256"},
		{"a\xffb", "a\uFFFDb"},
		{long, strings.Repeat("é", 128)},
		{"x" + long, "x" + strings.Repeat("é", 127) + "\uFFFD"}, // cut within a letter
	} {
		assert.Equal(t, tc.want, quota.SourceKey(tc.address).ID, "%q", tc.address)
	}
}

// FuzzSourceKey: no address makes a key that the store could not give back.
func FuzzSourceKey(f *testing.F) {
	for _, address := range []string{"192.0.2.1", "[::1]:80", "fe80::1%eth0", "\xff", strings.Repeat("é", 129)} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if address == "" {
			t.Skip("no source")
		}
		q := newQuota(t, newVault(t, store.NewMemory(), newClock()), civicpin.Rate{Limit: 1, Window: hour})
		k := quota.SourceKey(address)
		require.NotEmpty(t, k.ID)
		require.LessOrEqual(t, len(k.ID), 3*256)
		require.NoError(t, take(t, q, k))
		full(t, take(t, q, k))
	})
}

// TestRatesDoNotMeet: a quota of another rate under the same name neither shortens nor lengthens what the first one counted.
func TestRatesDoNotMeet(t *testing.T) {
	clock := newClock()
	vault := newVault(t, store.NewMemory(), clock)
	long, short := newQuota(t, vault, civicpin.Rate{Limit: 10, Window: day}), newQuota(t, vault, civicpin.Rate{Limit: 10, Window: minute})
	k, let := store.Key{ID: "a"}, 0
	for range 40 {
		if take(t, long, k) == nil {
			let++
		}
		for take(t, short, k) == nil { // which cuts what is beyond its own window
			continue
		}
		clock.Add(2 * minute)
	}
	require.Equal(t, 10, let)
}

// TestEvents: an event about a key over its rate names it where it belongs, and no address of a message.
func TestEvents(t *testing.T) {
	for _, tc := range []struct {
		scope quota.Scope
		key   store.Key
		want  civicpin.Event
	}{
		{quota.Subject, store.Key{Subject: "A"}, civicpin.Event{Subject: "A"}},
		{quota.Source, store.Key{ID: "192.0.2.1"}, civicpin.Event{Source: civicpin.Source{Address: "192.0.2.1"}}},
		{quota.Operator, store.Key{ID: "operator:7"}, civicpin.Event{By: civicpin.Operator("7")}},
	} {
		var log testkit.Recorder
		clock := newClock()
		v, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), &store.Options{Now: clock.Now, Recorder: &log})
		require.NoError(t, err)
		q, err := quota.New(v, "n", civicpin.Rate{Limit: 1, Window: hour}, tc.scope)
		require.NoError(t, err)
		require.NoError(t, take(t, q, tc.key))
		full(t, take(t, q, tc.key))
		tc.want.At, tc.want.Code, tc.want.Reason = start, quota.EventSlowed, "quota.n"
		require.Equal(t, []civicpin.Event{tc.want}, log.All())
	}
}

func TestInvalid(t *testing.T) {
	vault := newVault(t, store.NewMemory(), newClock())
	for _, r := range []civicpin.Rate{{}, {Limit: -1, Window: hour}, {Limit: 1}} {
		_, err := quota.New(vault, "n", r, quota.Subject)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	for _, name := range []string{"a/b", "a b", strings.Repeat("n", 59)} {
		_, err := quota.New(vault, name, civicpin.Rate{Limit: 1, Window: hour}, quota.Subject)
		require.Error(t, err, name)
	}
}

// TestPart: events of a part count against both rates or none, other events against the whole alone; a refund gives back both.
func TestPart(t *testing.T) {
	clock := newClock()
	v := newVault(t, store.NewMemory(), clock)
	q, err := quota.NewPart(v, "messages", civicpin.Rate{Limit: 6, Window: hour}, civicpin.Rate{Limit: 2, Window: 2 * hour}, quota.Source)
	require.NoError(t, err)
	k := store.Key{ID: "a"}
	part := func(n int) (quota.Charge, error) { return q.TakePart(t.Context(), k, n) }
	_, err = part(1)
	require.NoError(t, err)
	_, err = part(2)
	require.Equal(t, start.Add(hour), full(t, err).Until.UTC(), "the part has room for one")
	second, err := part(1)
	require.NoError(t, err)
	_, err = part(1)
	full(t, err)
	for range 4 { // the refused ones took nothing of the whole
		require.NoError(t, take(t, q, k))
	}
	require.Equal(t, start.Add(10*minute), full(t, take(t, q, k)).Until.UTC())
	q.Refund(t.Context(), second)
	_, err = part(1)
	require.NoError(t, err)
	clock.Add(hour)
	_, err = part(1)
	require.NoError(t, err)
	_, err = part(1)
	require.Equal(t, start.Add(2*hour), full(t, err).Until.UTC())
	for range 5 {
		require.NoError(t, take(t, q, k))
	}
	full(t, take(t, q, k))

	_, err = quota.NewPart(v, "messages", civicpin.Rate{Limit: 6, Window: hour}, civicpin.Rate{}, quota.Source)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// TestPartOfAClockAhead: what a clock wrote that was ahead shuts the part out for no longer than its window.
func TestPartOfAClockAhead(t *testing.T) {
	clock := newClock()
	q, err := quota.NewPart(newVault(t, store.NewMemory(), clock), "messages", civicpin.Rate{Limit: 6, Window: hour},
		civicpin.Rate{Limit: 2, Window: hour}, quota.Source)
	require.NoError(t, err)
	k := store.Key{ID: "a"}
	clock.Add(365 * day)
	_, err = q.TakePart(t.Context(), k, 2)
	require.NoError(t, err)
	clock.Add(-365 * day)
	_, err = q.TakePart(t.Context(), k, 1)
	full(t, err)
	clock.Add(hour)
	_, err = q.TakePart(t.Context(), k, 1)
	require.NoError(t, err)
}
