package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// queue queues a message about A under each of these ids.
func (r *rig) queue(t *testing.T, from, to int) {
	for i := from; i < to; i++ {
		require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", fmt.Sprint(i)),
			letter{Text: "x", To: mail(fmt.Sprintf("a%d@example.org", i))}))
	}
}

// Count tells what is due, since when, and what is to be tried later, with and without a store that can list.
func TestCount(t *testing.T) {
	for name, s := range map[string]store.Store{"lists": store.NewMemory(), "cannot list": only{store.NewMemory()}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, s, newClock(), nil)
			count := func() (b outbox.Backlog) {
				at, err := r.out.Count(t.Context(), &b, store.Pass{})
				require.NoError(t, err)
				require.True(t, at.End)
				require.Equal(t, b.Due+b.Later, at.Seen)
				return b
			}
			require.Equal(t, outbox.Backlog{}, count())

			// A clock that was a year ahead wrote one: it is due, but not since next year.
			r.clock.Add(365 * 24 * time.Hour)
			r.queue(t, 100, 101)
			r.clock.Add(-365 * 24 * time.Hour)
			require.Equal(t, outbox.Backlog{Due: 1}, count())
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, outbox.Backlog{}, count())

			r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
			r.queue(t, 0, 5)
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, outbox.Backlog{Later: 5}, count())
			r.clock.Add(time.Second)
			since := r.clock.Now()
			r.queue(t, 5, 7)
			require.NoError(t, r.out.AddDecoy(t.Context(), r.clerk.ref("B", "1")))
			r.clock.Add(time.Second)
			r.queue(t, 7, 8)
			require.Equal(t, outbox.Backlog{Due: 4, Later: 5, Since: since}, localBacklog(count(), since))
			sent := len(r.sink.messages())
			require.Equal(t, 6, sent, "counting sends nothing")

			r.sink.then(nil)
			for range 3 {
				require.NoError(t, r.out.Flush(t.Context()))
				r.clock.Add(time.Minute)
			}
			require.Equal(t, outbox.Backlog{}, count())
		})
	}
}

// localBacklog has the time in the zone of want, for comparing.
func localBacklog(b outbox.Backlog, want time.Time) outbox.Backlog {
	b.Since = b.Since.In(want.Location())
	return b
}

// A count in steps is a count: it adds up, goes on where it ended, and shows how far it is.
func TestCountInSteps(t *testing.T) {
	for name, s := range map[string]store.Store{"lists": store.NewMemory(), "cannot list": only{store.NewMemory()}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, s, newClock(), nil)
			r.queue(t, 0, 10)
			var b outbox.Backlog
			var told []int
			pass := store.Pass{Max: 4, Progress: func(at store.Progress) {
				require.Equal(t, len(told)+1, b.Due, "the Backlog is as far as the Progress")
				told = append(told, at.Seen)
			}}
			for _, end := range []bool{false, false, true} {
				at, err := r.out.Count(t.Context(), &b, pass)
				require.NoError(t, err)
				require.Equal(t, end, at.End)
				pass.After = at.Last
			}
			require.Equal(t, 10, b.Due)
			require.Equal(t, []int{1, 2, 3, 4, 1, 2, 3, 4, 1, 2}, told)
		})
	}
}

func TestCountRefuses(t *testing.T) {
	for name, s := range map[string]store.Store{"lists": store.NewMemory(), "cannot list": only{store.NewMemory()}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, s, newClock(), nil)
			_, err := r.out.Count(t.Context(), nil, store.Pass{})
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			at, err := r.out.Count(t.Context(), new(outbox.Backlog), store.Pass{Max: -1})
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			require.False(t, at.End)
			r.queue(t, 0, 1)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = r.out.Count(ctx, new(outbox.Backlog), store.Pass{})
			require.ErrorIs(t, err, context.Canceled)
		})
	}
	r := newRig(t, only{store.NewMemory()}, newClock(), nil)
	_, err := r.out.Count(t.Context(), new(outbox.Backlog), store.Pass{After: "nowhere"})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// What does not open is passed over, and told.
func TestCountPassesOverWhatIsUnreadable(t *testing.T) {
	for name, lists := range map[string]bool{"lists": true, "cannot list": false} {
		t.Run(name, func(t *testing.T) {
			m := store.NewMemory()
			var s store.Store = only{m}
			if lists {
				s = m
			}
			r := newRig(t, s, newClock(), nil)
			r.queue(t, 0, 3)
			for item, err := range m.List(t.Context(), "outbox.entry/", "") {
				require.NoError(t, err)
				item.Value[len(item.Value)-1] ^= 1
				_, err := m.Put(t.Context(), item.Key, item.Record)
				require.NoError(t, err)
				break
			}
			var b outbox.Backlog
			at, err := r.out.Count(t.Context(), &b, store.Pass{})
			require.ErrorIs(t, err, store.ErrUnreadable)
			require.True(t, at.End)
			require.Equal(t, 1, at.Unreadable)
			require.Equal(t, 2, b.Due)
		})
	}
}
