package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// hourly is a rig whose typed addresses get one message an hour.
func hourly(t *testing.T, s store.Store) *rig {
	return newRig(t, s, newClock(), limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 1, Window: time.Hour}
	}))
}

func (r *rig) hours(t *testing.T, n int) {
	t.Helper()
	for range n * 4 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(15 * time.Minute)
	}
}

// Subjects who share an address take turns: one who asks ten times does not hold up another. Within a subject the messages go
// in the order in which they came.
func TestSubjectsTakeTurns(t *testing.T) {
	r := hourly(t, newMemory())
	to := mail("shared@example.org")
	for i := range 10 {
		r.posted(t, outbox.Typed, "GREEDY", fmt.Sprint("g", i), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
	}
	r.posted(t, outbox.Typed, "MODEST", "m0", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	r.posted(t, outbox.Typed, "MODEST", "m1", to, time.Time{})
	r.hours(t, 14)
	require.Equal(t, []string{"g0", "m0", "g1", "m1", "g2", "g3"}, r.sink.texts()[:6])
	require.Len(t, r.sink.messages(), 12)
}

// What waits too much is dropped from the subject that has most, not from one who comes last.
func TestTheGreedyLoseTheirPlaces(t *testing.T) {
	r := hourly(t, newMemory())
	to := mail("shared@example.org")
	for i := range 80 {
		r.posted(t, outbox.Typed, "GREEDY", fmt.Sprint("g", i), to, time.Time{})
	}
	require.NoError(t, r.out.Flush(t.Context()))
	modest := r.posted(t, outbox.Typed, "MODEST", "m", to, time.Time{})
	r.hours(t, 3)
	require.Equal(t, "accepted", r.clerk.state(t, modest))
	held, err := r.out.Held(t.Context(), "GREEDY")
	require.NoError(t, err)
	require.Equal(t, 64, held.Waited)
	require.GreaterOrEqual(t, held.Expired, 80-1-64)
}

// A resend takes over the place of what it replaces; it does not go to the end of the queue.
func TestAResendKeepsThePlace(t *testing.T) {
	r := hourly(t, newMemory())
	to := mail("shared@example.org")
	r.posted(t, outbox.Typed, "A", "first", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	old := r.posted(t, outbox.Typed, "B", "old", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	r.posted(t, outbox.Typed, "C", "other", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))

	again := r.clerk.ref("B", "again")
	again.Class, again.Replaces = outbox.Typed, old.ID
	require.NoError(t, r.clerk.write(t.Context(), old, letter{State: "replaced"}))
	require.NoError(t, r.clerk.post(t.Context(), r.out, again, letter{Text: "again", To: to}))
	r.hours(t, 5)
	require.Equal(t, []string{"first", "again", "other"}, r.sink.texts())
}

// A message that its owner withdraws while it waits leaves no gap.
func TestAWithdrawnMessageLeavesItsPlace(t *testing.T) {
	r := hourly(t, newMemory())
	to := mail("a@example.org")
	r.posted(t, outbox.Typed, "A", "first", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	for i := range 5 {
		ref := r.posted(t, outbox.Typed, "A", fmt.Sprint(i), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "replaced"}))
	}
	last := r.posted(t, outbox.Typed, "A", "last", to, time.Time{})
	r.clock.Add(time.Hour)
	r.hours(t, 3)
	require.Equal(t, "accepted", r.clerk.state(t, last), "after an hour or two, not after six")
}

// A process that dies, or a store that fails, between the turn of a message and its outcome takes no second turn.
func TestATurnIsTakenOnce(t *testing.T) {
	to := mail("a@example.org")
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		r := newRig(t, c.Store(), newClock(), limited(func(l *outbox.Limits) {
			l.Typed = civicpin.Rate{Limit: 2, Window: 24 * time.Hour}
		}))
		r.posted(t, outbox.Typed, "A", "first", to, time.Time{})
		_ = c.During(t, func() error { return r.out.Flush(t.Context()) })
		for range 30 { // the claim runs out, and the message is tried again
			require.NoError(t, r.out.Flush(t.Context()))
			r.clock.Add(time.Minute)
		}
		second := r.posted(t, outbox.Typed, "A", "second", to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		require.Equal(t, "accepted", r.clerk.state(t, second))
	})
}

// A clock that was ten days ahead for a moment does not hold up messages until that day.
func TestAClockTenDaysAhead(t *testing.T) {
	for name, to := range map[string]civicpin.Contact{"mail": mail("a@example.org"), "telephone": sms("+393331234567")} {
		r := onMemoryWith(t, limited(func(l *outbox.Limits) {
			l.Typed, l.Home = civicpin.Rate{Limit: 1, Window: time.Hour}, civicpin.Rate{Limit: 1, Window: time.Hour}
		}))
		r.clock.Add(10 * 24 * time.Hour)
		for i := range 3 {
			r.posted(t, outbox.Typed, "A", fmt.Sprint(i), to, time.Time{})
		}
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(-10 * 24 * time.Hour)
		r.hours(t, 10)
		require.Len(t, r.sink.messages(), 3, name)
	}
}

// Held tells how many messages of a subject waited and expired, for a day; decoys and other subjects are not among them.
func TestHeld(t *testing.T) {
	r := hourly(t, newMemory())
	held := func(subject civicpin.Subject) outbox.Held {
		h, err := r.out.Held(t.Context(), subject)
		require.NoError(t, err)
		h.FirstAt = h.FirstAt.UTC()
		if h.FirstAt.IsZero() || h == (outbox.Held{}) {
			return outbox.Held{}
		}
		return h
	}
	began := r.clock.Now()
	for i := range 3 {
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	r.posted(t, outbox.Typed, "A", "short", mail("a@example.org"), began.Add(10*time.Minute))
	require.NoError(t, r.out.AddDecoy(t.Context(), r.clerk.ref("B", "1")))
	for range 5 {
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Equal(t, outbox.Held{Waited: 2, Expired: 1, FirstAt: began}, held("A"))
	require.Equal(t, outbox.Held{}, held("B"))
	r.clock.Add(24 * time.Hour)
	require.Equal(t, outbox.Held{}, held("A"))
	_, err := r.out.Held(t.Context(), "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// The reason that a message was given up names what refused it.
func TestWhyAMessageWasGivenUp(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Home = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	soon := r.clock.Now().Add(time.Hour)
	r.posted(t, outbox.Typed, "A", "1", sms("+393331234567"), soon)
	r.posted(t, outbox.Typed, "A", "2", sms("+393331234568"), soon)
	require.NoError(t, r.out.Flush(t.Context()))
	expired := r.log.Of("outbox.expired")
	require.Len(t, expired, 1)
	require.Equal(t, "too many messages to one country", expired[0].Reason)
}

// A country whose telephones get more messages than visitors could cause is told of, once an hour, and nothing is held.
func TestFlood(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Home = civicpin.Rate{Limit: 10, Window: time.Hour}
	}))
	for i := range 30 {
		class := []outbox.Class{outbox.Proved, outbox.Shown, outbox.Notice}[i%3]
		r.posted(t, class, "A", fmt.Sprint(i), sms(fmt.Sprint("+39333123456", i%10)), time.Time{})
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 30)
	flood := r.log.Of("outbox.flood")
	require.Len(t, flood, 1)
	require.Equal(t, "+39", flood[0].Ref)
}

// failing is an owner that answers with an error.
type failing struct {
	*clerk
	err error
}

func (f *failing) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	if f.err != nil {
		return civicpin.Message{}, f.err
	}
	return f.clerk.Confirm(ctx, ref)
}

// A message whose owner fails for a day becomes a dead letter, and can be retried; one whose owner says "not yet" waits on.
func TestAnOwnerThatAlwaysFails(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		dead int
	}{
		{"fails", errors.New("record broken"), 1},
		{"not yet", fmt.Errorf("suspended: %w", outbox.ErrNotYet), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := onMemory(t)
			owner := &failing{r.clerk, tc.err}
			require.NoError(t, r.out.Register("clerk", owner))
			ref := r.clerk.ref("A", "1")
			require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
			for range 23 * 6 {
				require.NoError(t, r.out.Flush(t.Context()))
				r.clock.Add(10 * time.Minute)
			}
			require.Empty(t, letters(t, r.out), "not within a day")
			for range 20 * 6 {
				require.NoError(t, r.out.Flush(t.Context()))
				r.clock.Add(10 * time.Minute)
			}
			dead := letters(t, r.out)
			require.Len(t, dead, tc.dead)
			owner.err = nil
			if tc.dead > 0 {
				require.Contains(t, dead[0].Reason, "record broken")
				require.NoError(t, r.out.Retry(t.Context(), ref))
			}
			r.clock.Add(2 * time.Hour)
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, "accepted", r.clerk.state(t, ref))
		})
	}
}

// A notice is sent though ten thousand messages that visitors asked for wait, for the same address among them.
func TestNoticesPassTheQueue(t *testing.T) {
	r := hourly(t, newMemory())
	to := mail("a@example.org")
	for i := range 50 {
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), to, time.Time{})
	}
	require.NoError(t, r.out.Flush(t.Context()))
	r.posted(t, outbox.Notice, "A", "notice", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	require.True(t, slices.Contains(r.sink.texts(), "notice"))
}

// A message that a gateway takes only when less than a fifth of its life is left is not sent: its reader could not use it in
// time. A notice is.
func TestNearlyExpired(t *testing.T) {
	r := onMemory(t)
	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	soon := r.clock.Now().Add(10 * time.Minute)
	code := r.posted(t, outbox.Proved, "A", "code", mail("a@example.org"), soon)
	notice := r.posted(t, outbox.Notice, "A", "notice", mail("a@example.org"), soon)
	require.NoError(t, r.out.Flush(t.Context()))
	r.sink.then(nil)
	r.clock.Add(8*time.Minute + time.Second)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, "failed", r.clerk.state(t, code))
	require.Equal(t, "accepted", r.clerk.state(t, notice))
	require.Equal(t, "nearly expired", r.log.Of("outbox.expired")[0].Reason)
}
