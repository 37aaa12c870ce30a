package stored_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/stored"
)

var now = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

// TestCap: a time is never later than the longest span from now, and what clocks may differ; both forms agree.
func TestCap(t *testing.T) {
	for _, tc := range []struct {
		name    string
		at      time.Time
		longest time.Duration
		want    time.Time
	}{
		{"none", time.Time{}, time.Hour, time.Time{}},
		{"past", now.Add(-time.Hour), time.Hour, now.Add(-time.Hour)},
		{"within", now.Add(time.Hour), time.Hour, now.Add(time.Hour)},
		{"clocks that differ", now.Add(time.Hour + stored.Slack), time.Hour, now.Add(time.Hour + stored.Slack)},
		{"beyond", now.Add(time.Hour + stored.Slack + 1), time.Hour, now.Add(time.Hour)},
		{"ten years", now.AddDate(10, 0, 0), time.Hour, now.Add(time.Hour)},
		{"a moment", now.AddDate(10, 0, 0), 0, now},
		{"no limit", now.AddDate(10, 0, 0), math.MaxInt64 - stored.Slack, now.AddDate(10, 0, 0)},
	} {
		times, at := stored.At(now), tc.at
		times.Cap(&at, tc.longest)
		assert.Equal(t, tc.want, at, tc.name)
		require.Equal(t, !tc.want.Equal(tc.at), times.Changed(), tc.name)
		if tc.at.IsZero() {
			continue
		}
		times, nano := stored.At(now), tc.at.UnixNano()
		times.CapNano(&nano, tc.longest)
		assert.Equal(t, tc.want.UnixNano(), nano, tc.name)
		require.Equal(t, !tc.want.Equal(tc.at), times.Changed(), tc.name)
	}
	times, none := stored.At(now), int64(0)
	times.CapNano(&none, time.Hour)
	require.Zero(t, none)
	require.False(t, times.Changed())
}

// TestWithin: the ends of spans have theirs, what was written was written, and the rest stays.
func TestWithin(t *testing.T) {
	type item struct{ At, Until time.Time }
	type other struct{ Until time.Time }
	type record struct {
		Name      string
		Bytes     []byte
		Items     []item
		One, None *item
		Other     other
		Ours      time.Time
		ExpiresAt time.Time
		hidden    time.Time
	}
	ahead := now.AddDate(10, 0, 0)
	r := record{
		Name: "x", Items: []item{{At: ahead}, {Until: ahead}}, Other: other{ahead}, One: &item{At: now, Until: now.Add(time.Hour)},
		Ours: ahead, ExpiresAt: ahead, hidden: ahead,
	}
	correct := stored.Within[record](map[string]time.Duration{"Until": time.Hour, "other.Until": time.Minute, "Ours": stored.Any})
	require.True(t, correct(&r, now))
	require.Equal(t, record{
		Name: "x", Items: []item{{At: now}, {Until: now.Add(time.Hour)}}, Other: other{now.Add(time.Minute)}, One: &item{At: now, Until: now.Add(time.Hour)},
		Ours: ahead, ExpiresAt: ahead, hidden: ahead,
	}, r)
	require.False(t, correct(&r, now), "once")

	right := stored.Within[item](map[string]time.Duration{"Until": time.Hour}, "Until")
	for at, want := range map[time.Time]time.Time{
		ahead: now, now.Add(time.Hour + stored.Grace): now.Add(time.Hour), now.Add(time.Hour): now.Add(time.Hour),
	} {
		i := item{Until: at}
		right(&i, now)
		require.Equal(t, want, i.Until)
	}
}
