package pace_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/pace"
)

// defaults are those of outbox.Options.
var defaults = pace.Pace{
	Timeout: 30 * time.Second, Grace: 2 * time.Minute, MinDelay: 10 * time.Second, MaxDelay: time.Hour, MaxTries: 12,
}

func TestDelay(t *testing.T) {
	for n, want := range map[int]time.Duration{
		-1: 10 * time.Second, 0: 10 * time.Second, 1: 10 * time.Second, 2: 20 * time.Second, 9: 2560 * time.Second,
		10: time.Hour, 62: time.Hour, 63: time.Hour, 1000: time.Hour,
	} {
		for range 50 {
			require.InDelta(t, want, defaults.Delay(n), float64(want)/5, "n = %d", n)
		}
	}
	week := pace.Pace{MinDelay: 24 * time.Hour, MaxDelay: 7 * 24 * time.Hour}
	for n := range 100 {
		require.Greater(t, week.Delay(n), 19*time.Hour, "n = %d", n)
	}
}

// An owner that cannot answer is asked for more than a day, before its message is given up.
func TestMaxWaits(t *testing.T) {
	var least time.Duration
	for n := range defaults.MaxWaits() {
		least += defaults.Delay(n+1) * 4 / 5
	}
	require.Greater(t, least, 20*time.Hour)
}

// No wait is as long as Farthest: what is due later was not written by these rules.
func TestFarthest(t *testing.T) {
	for _, p := range []pace.Pace{
		defaults,
		{Timeout: 10 * time.Minute, Grace: time.Millisecond, MinDelay: time.Millisecond, MaxDelay: time.Millisecond, MaxTries: 1},
		{Timeout: time.Millisecond, Grace: 24 * time.Hour, MinDelay: time.Second, MaxDelay: time.Second, MaxTries: 1},
		{Timeout: time.Second, Grace: time.Second, MinDelay: 24 * time.Hour, MaxDelay: 7 * 24 * time.Hour, MaxTries: 1000},
	} {
		longest := max(p.Claim(), p.Grace)
		for n := range 100 {
			longest = max(longest, p.Delay(n))
		}
		require.Greater(t, p.Farthest(), longest)
	}
}

func TestListing(t *testing.T) {
	require.Equal(t, 30*time.Second, defaults.Listing())
	require.Equal(t, pace.Store, pace.Pace{Timeout: time.Second}.Listing())
	require.Equal(t, 90*time.Second, defaults.Claim())
}
