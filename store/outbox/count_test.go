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

// typed is a Backlog of messages of class Typed.
func typed(due, held, later int) outbox.Backlog {
	all := outbox.Tally{Due: due, Held: held, Later: later}
	return outbox.Backlog{Due: due, Held: held, Later: later, ByClass: [4]outbox.Tally{outbox.Typed: all}}
}

// counted counts everything, and compares the sums.
func (r *rig) counted(t *testing.T) (b outbox.Backlog) {
	t.Helper()
	at, err := r.out.Count(t.Context(), &b, store.Pass{})
	require.NoError(t, err)
	require.True(t, at.End)
	require.Equal(t, b.Due+b.Held+b.Later, at.Seen)
	var sum outbox.Tally
	for _, of := range b.ByClass {
		sum.Due, sum.Held, sum.Later = sum.Due+of.Due, sum.Held+of.Held, sum.Later+of.Later
	}
	require.Equal(t, outbox.Tally{Due: b.Due, Held: b.Held, Later: b.Later}, sum)
	return b
}

// Count tells what is due, since when, and what is to be tried later, with and without a store that can list.
func TestCount(t *testing.T) {
	for name, s := range map[string]store.Store{"lists": newMemory(), "cannot list": only{newMemory()}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, s, newClock(), nil)
			count := func() outbox.Backlog { return r.counted(t) }
			require.Equal(t, outbox.Backlog{}, count())

			// A clock that was a year ahead wrote one: it is due, but not since next year.
			r.clock.Add(365 * 24 * time.Hour)
			r.queue(t, 100, 101)
			r.clock.Add(-365 * 24 * time.Hour)
			require.Equal(t, typed(1, 0, 0), count())
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, outbox.Backlog{}, count())

			r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
			r.queue(t, 0, 5)
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, typed(0, 0, 5), count())
			r.clock.Add(time.Second)
			since := r.clock.Now()
			r.queue(t, 5, 7)
			require.NoError(t, r.out.AddDecoy(t.Context(), r.clerk.ref("B", "1")))
			r.clock.Add(time.Second)
			r.queue(t, 7, 8)
			want := typed(4, 0, 5)
			want.OldestAt = since
			require.Equal(t, want, localBacklog(count(), since))
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
	b.OldestAt = b.OldestAt.In(want.Location())
	return b
}

// A count in steps is a count: it adds up, goes on where it ended, and shows how far it is.
func TestCountInSteps(t *testing.T) {
	for name, s := range map[string]store.Store{"lists": newMemory(), "cannot list": only{newMemory()}} {
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
	for name, s := range map[string]store.Store{"lists": newMemory(), "cannot list": only{newMemory()}} {
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
	r := newRig(t, only{newMemory()}, newClock(), nil)
	_, err := r.out.Count(t.Context(), new(outbox.Backlog), store.Pass{After: "nowhere"})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// What does not open is passed over, and told.
func TestCountPassesOverWhatIsUnreadable(t *testing.T) {
	for name, lists := range map[string]bool{"lists": true, "cannot list": false} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			var s store.Store = only{m}
			if lists {
				s = m
			}
			r := newRig(t, s, newClock(), nil)
			r.queue(t, 0, 3)
			spoil(t, m)
			var b outbox.Backlog
			at, err := r.out.Count(t.Context(), &b, store.Pass{})
			require.ErrorIs(t, err, store.ErrUnreadable)
			require.True(t, at.End)
			require.Equal(t, 1, at.Unreadable)
			require.Equal(t, 2, b.Due)
		})
	}
}

// Each message counts for its class, decoys too: no number tells whether a request was for a citizen or for a stranger.
func TestCountByClass(t *testing.T) {
	r := onMemory(t)
	for i, class := range []outbox.Class{outbox.Typed, outbox.Proved, outbox.Proved, outbox.Shown, outbox.Notice, outbox.Notice} {
		r.posted(t, class, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	citizens := r.counted(t)
	require.Equal(t, [4]outbox.Tally{{Due: 1}, {Due: 2}, {Due: 1}, {Due: 2}}, citizens.ByClass)

	strangers := onMemory(t)
	for i, class := range []outbox.Class{outbox.Typed, outbox.Proved, outbox.Proved, outbox.Shown, outbox.Notice, outbox.Notice} {
		ref := strangers.clerk.ref("B", fmt.Sprint(i))
		ref.Class = class
		require.NoError(t, strangers.out.AddDecoy(t.Context(), ref))
	}
	require.Equal(t, citizens, localBacklog(strangers.counted(t), citizens.OldestAt))

	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, [4]outbox.Tally{{Later: 1}, {Later: 2}, {Later: 1}, {Later: 2}}, r.counted(t).ByClass)
}

// Held is what waits for a turn, and not what was let through and is tried again.
func TestCountHeld(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 1, Window: time.Hour}
		l.Home = civicpin.Rate{Limit: 2, Window: 2 * time.Hour}
	}))
	flush := func() { require.NoError(t, r.out.Flush(t.Context())) }
	for i := range 3 {
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	for i := range 4 {
		r.posted(t, outbox.Typed, "B", fmt.Sprint(i), sms(fmt.Sprintf("+39333123456%d", i)), time.Time{})
	}
	require.Equal(t, 7, r.counted(t).Due)
	flush()
	require.Equal(t, typed(0, 2+2, 0), r.counted(t), "by address and by country")

	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	r.clock.Add(time.Hour)
	flush()
	require.Equal(t, typed(0, 1+1, 2), r.counted(t), "let through, and tried again later")

	r.sink.then(nil)
	for range 4 {
		r.clock.Add(time.Hour)
		flush()
	}
	require.Equal(t, outbox.Backlog{}, r.counted(t))
}

// An entry of a class that this version does not know is counted.
func TestCountOfAnUnknownClass(t *testing.T) {
	for _, class := range []outbox.Class{outbox.Notice + 1, -1} {
		r := onMemory(t)
		ref := r.clerk.ref("A", "1")
		ref.Class = class
		require.NoError(t, r.out.AddUnchecked(t.Context(), ref)) // as a later version may
		require.Equal(t, outbox.Tally{Due: 1}, r.counted(t).ByClass[outbox.Typed])
	}
}
