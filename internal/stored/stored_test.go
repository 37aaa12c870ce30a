package stored_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/stored"
)

var now = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

// TestUntil: a wait ends no later than the longest span from now, and a day: a process whose clock is behind by less shortens none.
func TestUntil(t *testing.T) {
	for _, tc := range []struct {
		name    string
		at      time.Time
		longest time.Duration
		want    time.Time
	}{
		{"none", time.Time{}, time.Hour, time.Time{}},
		{"past", now.Add(-time.Hour), time.Hour, now.Add(-time.Hour)},
		{"within", now.Add(time.Hour), time.Hour, now.Add(time.Hour)},
		{"clocks that differ", now.Add(time.Hour + stored.Skew), time.Hour, now.Add(time.Hour + stored.Skew)},
		{"beyond", now.Add(time.Hour + stored.Skew + 1), time.Hour, now.Add(time.Hour)},
		{"ten years", now.AddDate(10, 0, 0), time.Hour, now.Add(time.Hour)},
		{"a moment", now.AddDate(10, 0, 0), 0, now},
		{"no limit", now.AddDate(10, 0, 0), math.MaxInt64 - stored.Skew, now.AddDate(10, 0, 0)},
	} {
		at := tc.at
		require.Equal(t, !tc.want.Equal(tc.at), stored.Until(&at, now, tc.longest), tc.name)
		require.Equal(t, tc.want, at, tc.name)
	}
}

// TestWithin: the ends of spans have theirs, what was written was written, and the rest stays.
func TestWithin(t *testing.T) {
	type item struct{ At, Until time.Time }
	type other struct{ Until time.Time }
	type acts struct{ Last []time.Time }
	type record struct {
		Name      string
		Bytes     []byte
		Items     []item
		One, None *item
		Other     other
		Ours      time.Time
		ExpiresAt time.Time
		hidden    time.Time
		Moments   []time.Time
		Acts      map[string]acts
	}
	ahead := now.AddDate(10, 0, 0)
	r := record{
		Name: "x", Items: []item{{At: ahead}, {Until: ahead}}, Other: other{ahead}, One: &item{At: now, Until: now.Add(time.Hour)},
		Ours: ahead, ExpiresAt: ahead, hidden: ahead,
		Moments: []time.Time{now, ahead}, Acts: map[string]acts{"none": {}, "revoked": {[]time.Time{now, ahead}}},
	}
	correct := stored.Within[record](map[string]time.Duration{"Until": time.Hour, "other.Until": time.Minute, "Ours": stored.Any})
	require.True(t, correct(&r, now))
	require.Equal(t, record{
		Name: "x", Items: []item{{At: now}, {Until: now.Add(time.Hour)}}, Other: other{now.Add(time.Minute)}, One: &item{At: now, Until: now.Add(time.Hour)},
		Ours: ahead, ExpiresAt: ahead, hidden: ahead,
		Moments: []time.Time{now, now}, Acts: map[string]acts{"none": {}, "revoked": {[]time.Time{now, now}}},
	}, r)
	require.False(t, correct(&r, now), "once")
}

// TestWithinHoursBehind: a process whose clock is hours behind changes no wait, and no moment. What gives power is good for no
// longer than its span by any clock, but what one process makes of that is not kept for the others.
func TestWithinHoursBehind(t *testing.T) {
	type record struct{ Waits, At, Right time.Time }
	correct := stored.Within[record](map[string]time.Duration{"Waits": time.Hour, "Right": time.Hour}, "Right")
	for _, behind := range []time.Duration{0, time.Minute, 3 * time.Hour, stored.Skew} {
		written := record{Waits: now.Add(time.Hour), At: now, Right: now.Add(time.Hour)}
		r := written
		require.False(t, correct(&r, now.Add(-behind)), "%v: kept", behind)
		require.Equal(t, written.Waits, r.Waits, "%v", behind)
		require.Equal(t, written.At, r.At, "%v", behind)
		require.False(t, r.Right.After(now.Add(time.Hour-behind+stored.Slack)), "%v", behind)
	}
	for at, want := range map[time.Time]time.Time{
		now.AddDate(10, 0, 0): now, now.Add(time.Hour + stored.Grace + 1): now, now.Add(time.Hour + stored.Grace): now.Add(time.Hour),
		now.Add(time.Hour + stored.Slack): now.Add(time.Hour + stored.Slack), now.Add(time.Hour): now.Add(time.Hour),
	} {
		r := record{Right: at}
		require.Equal(t, at.After(now.Add(time.Hour+stored.Skew)), correct(&r, now), "%v: kept", at)
		require.Equal(t, want, r.Right.UTC())
	}
}

// TestRightOfAClockAhead: a right that a clock wrote which was more than a day ahead is over for good once it was read, however
// it is written and read from then on. Whoever waits for that clock's day gets nothing.
func TestRightOfAClockAhead(t *testing.T) {
	type record struct{ Other, Right time.Time }
	correct := stored.Within[record](map[string]time.Duration{"Right": time.Hour, "Other": time.Hour}, "Right", "Other")
	for _, ahead := range []time.Duration{stored.Skew + time.Second, 30 * time.Hour, 1000 * time.Hour} {
		r := record{Other: now.Add(3 * time.Hour), Right: now.Add(ahead + time.Hour)}
		require.True(t, correct(&r, now), "%v: kept", ahead)
		require.True(t, stored.Over(r.Right, now))
		require.True(t, stored.Swap(&r), "the other one, of which it is not known")
		require.Equal(t, record{Other: now.Add(3 * time.Hour), Right: now}, record{Other: r.Other.UTC(), Right: r.Right.UTC()})
		for wait := time.Duration(0); wait < ahead+2*time.Hour; wait += time.Hour {
			require.False(t, correct(&r, now.Add(wait)))
			require.False(t, r.Right.After(now.Add(wait)), "%v: %v later", ahead, wait)
			stored.Swap(&r)
		}
	}
}

// TestSpanOfItsOwn: a right that says its span is held to that, though the policy could have written a longer one: it is not
// good from its reading to the day of a clock that was ahead.
func TestSpanOfItsOwn(t *testing.T) {
	type right struct {
		Until time.Time
		For   time.Duration
	}
	type record struct{ Rights []right }
	correct := stored.Within[record](map[string]time.Duration{"Until": 30 * time.Hour}, "Until")
	for _, tc := range []struct {
		own, until, want time.Duration
		keep             bool
	}{
		{own: time.Hour, until: time.Hour, want: time.Hour},
		{own: time.Hour, until: 2 * time.Hour, want: time.Hour},
		{own: time.Hour, until: 20 * time.Hour},
		{own: time.Hour, until: 26 * time.Hour, keep: true},
		{until: 26 * time.Hour, want: 26 * time.Hour},
		{own: 300 * time.Hour, until: 31 * time.Hour, want: 30 * time.Hour},
		{own: 300 * time.Hour, until: 55 * time.Hour, keep: true},
	} {
		r := record{[]right{{now.Add(tc.until), tc.own}}}
		require.Equal(t, tc.keep, correct(&r, now), "%+v", tc)
		require.Equal(t, now.Add(tc.want), r.Rights[0].Until.UTC(), "%+v", tc)
	}
}

// TestSwap: a right that was cut is written as it was, wherever an update moved it to, and one that was set since as it was set,
// also if that is the same moment. It may be dropped only if it is over by all clocks.
func TestSwap(t *testing.T) {
	type item struct {
		Right time.Time
		Next  *item
	}
	type record struct {
		Items []item
		By    map[string]item
	}
	correct := stored.Within[record](map[string]time.Duration{"Right": time.Hour}, "Right")
	behind := now.Add(-3 * time.Hour)
	one, other := now.Add(time.Hour), now.Add(time.Hour-time.Second)
	latest := behind.Add(time.Hour + stored.Skew).UTC()
	r := record{Items: []item{{Right: one}, {Right: other}}, By: map[string]item{"x": {Right: latest}}}
	require.False(t, correct(&r, behind))
	require.Equal(t, behind, r.Items[0].Right.UTC())
	require.False(t, stored.Over(r.Items[0].Right, behind))
	require.True(t, stored.Over(behind, behind))
	require.False(t, stored.Over(behind.Add(1), behind))

	r.Items = []item{{Right: behind}, {Next: &item{Right: r.Items[1].Right}}, {Right: r.Items[0].Right.Add(1)}}
	require.True(t, stored.Swap(&r))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	want, err := json.Marshal(record{
		Items: []item{{Right: behind}, {Next: &item{Right: other}}, {Right: behind.Add(1)}},
		By:    map[string]item{"x": {Right: latest}},
	})
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(text))
	require.True(t, stored.Swap(&r))
	require.Equal(t, behind, r.Items[1].Next.Right.UTC())
	require.Equal(t, behind, r.By["x"].Right.UTC())
	require.False(t, stored.Swap(&record{Items: []item{{Right: one}}}))
}
