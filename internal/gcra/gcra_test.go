package gcra_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestBurstThenRate(t *testing.T) {
	r := civicpin.Rate{Limit: 3, Window: time.Minute}
	var state time.Time
	steps := []struct {
		at    time.Duration
		ok    bool
		again time.Duration
	}{
		{0, true, 0},
		{0, true, 0},
		{0, true, 0},
		{0, false, 20 * time.Second},
		{19 * time.Second, false, 20 * time.Second},
		{20 * time.Second, true, 0},
		{20 * time.Second, false, 40 * time.Second},
		{60 * time.Second, true, 0},
		{60 * time.Second, true, 0},
		{60 * time.Second, false, 80 * time.Second},
		{time.Hour, true, 0},
		{time.Hour, true, 0},
		{time.Hour, true, 0},
		{time.Hour, false, time.Hour + 20*time.Second},
	}
	for i, s := range steps {
		next, ok, again := gcra.Take(r, state, start.Add(s.at), 1)
		require.Equal(t, s.ok, ok, "step %d", i)
		if ok {
			state = next
		} else {
			require.Equal(t, state, next)
			require.Equal(t, start.Add(s.again), again, "step %d", i)
		}
	}
	state = gcra.Refund(r, state, 1)
	_, ok, _ := gcra.Take(r, state, start.Add(time.Hour), 1)
	require.True(t, ok, "a refund lets one more in")
}

// A clock that was ahead when it wrote must not shut everybody out until it is caught up with.
func TestStateFromTheFuture(t *testing.T) {
	r := civicpin.Rate{Limit: 3, Window: time.Minute}
	ahead, ok, _ := gcra.Take(r, start.Add(24*time.Hour), start.Add(24*time.Hour), 1)
	require.True(t, ok)
	_, ok, again := gcra.Take(r, ahead, start, 1)
	require.False(t, ok)
	require.LessOrEqual(t, again.Sub(start), time.Minute)
}

// Whatever the times, no window lets more than twice the limit in, and no instant more than the limit.
func TestNeverMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := civicpin.Rate{Limit: rapid.IntRange(1, 20).Draw(t, "limit"), Window: time.Duration(rapid.IntRange(1, 1000).Draw(t, "window")) * time.Second}
		var state time.Time
		var taken []time.Time
		now := start
		for range 200 {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(r.Window/4)).Draw(t, "step")))
			next, ok, again := gcra.Take(r, state, now, 1)
			if !ok {
				if !again.After(now) {
					t.Fatalf("refused until %v, which is not after %v", again, now)
				}
				continue
			}
			state = next
			taken = append(taken, now)
		}
		for i := range taken {
			n := 0
			for _, at := range taken[i:] {
				if at.Sub(taken[i]) < r.Window {
					n++
				}
			}
			if n > 2*r.Limit {
				t.Fatalf("%d in one window of a limit of %d", n, r.Limit)
			}
		}
	})
}

// Who waits as long as they are told to is let in, however many they ask for at once.
func TestSeveralAtOnce(t *testing.T) {
	r := civicpin.Rate{Limit: 5, Window: 10 * time.Minute}
	var state time.Time
	now := start
	for _, n := range []int{2, 2, 2, 3, 5, 1, 9, 9, 4} {
		next, ok, again := gcra.Take(r, state, now, n)
		if !ok {
			require.Equal(t, state, next, "all or none")
			now = again
			next, ok, _ = gcra.Take(r, state, now, n)
			require.True(t, ok, "%d at %v", n, now)
		}
		state = next
	}
	back := gcra.Refund(r, state, 4)
	_, ok, _ := gcra.Take(r, back, now, 4)
	require.True(t, ok)
}
