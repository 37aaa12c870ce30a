package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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
	require.NoError(t, r.out.Flush(t.Context())) // or the next message could be the first that goes
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

func TestRunSendsItsOwnAtOnceAndOthersWithinPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		a, b := newRig(t, s, nil, nil), newRig(t, s, nil, nil)
		a.run(t)
		time.Sleep(2 * time.Second)
		began := time.Now()
		require.NoError(t, a.clerk.post(t.Context(), a.out, a.clerk.ref("A", "own"), letter{Text: "own", To: mail("a@example.org")}))
		require.NoError(t, b.clerk.post(t.Context(), b.out, b.clerk.ref("A", "other"), letter{Text: "other", To: mail("b@example.org")}))
		time.Sleep(time.Minute)
		require.Equal(t, []string{"own", "other"}, a.sink.texts())
		when := a.sink.times()
		require.Zero(t, when[0].Sub(began))
		require.LessOrEqual(t, when[1].Sub(began), 5*time.Second)
	})
}

// More is committed at once than Run is told of one by one.
func TestRunIsNotOverwhelmedByCommits(t *testing.T) {
	const n = outbox.MaxFresh + 200
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, &outbox.Options{Poll: time.Hour})
		o := &crowd{left: make(map[string]bool)}
		require.NoError(t, r.out.Register("crowd", o))
		r.run(t)
		time.Sleep(time.Second)
		var refs []outbox.Ref
		for i := range n {
			ref := outbox.Ref{Owner: "crowd", Subject: "A", ID: fmt.Sprint("+39333", 1000000+i)}
			refs = append(refs, ref)
			o.left[ref.ID] = true
			require.NoError(t, r.out.Add(t.Context(), ref))
		}
		require.NoError(t, r.out.Commit(t.Context(), refs...))
		time.Sleep(time.Minute)
		require.Len(t, r.sink.messages(), n)
	})
}

// Two Runs and a Flush at once do not get in each other's way.
func TestSeveralRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.sink.then(func(context.Context, civicpin.Message) error { time.Sleep(time.Second); return nil })
		r.run(t)
		r.run(t)
		for i := range 100 {
			require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", fmt.Sprint(i)),
				letter{Text: "x", To: mail(fmt.Sprintf("a%d@example.org", i))}))
		}
		require.NoError(t, r.out.Flush(t.Context()))
		time.Sleep(time.Minute)
		require.Len(t, r.sink.messages(), 100)
	})
}

func TestAnUnknownOwnersEntriesAreLeftAlone(t *testing.T) {
	r := onMemory(t)
	ref := outbox.Ref{Owner: "elsewhere", Subject: "A", ID: "1"}
	require.NoError(t, r.out.Add(t.Context(), ref))
	require.NoError(t, r.out.Commit(t.Context(), ref))
	for range 5 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Hour)
	}
	require.Equal(t, 1, r.count(t, "outbox.entry"))
	require.Len(t, r.log.Of("outbox.unknown_owner"), 1)
	require.Equal(t, "elsewhere", r.log.Of("outbox.unknown_owner")[0].Reason)

	o := &fixed{m: civicpin.Message{To: mail("a@example.org")}}
	require.NoError(t, r.out.Register("elsewhere", o))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.Len(t, o.outcomes, 1)
}

// The latest registration under a name counts, also while Run runs.
func TestAnOwnerMadeAgainTakesThePlaceOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.run(t)
		require.NoError(t, r.out.Register("clerk", &moody{clerk: r.clerk, mood: func() error { return errors.New("old owner") }}))
		again := newClerk(t, r.vault, "clerk")
		require.NoError(t, r.out.Register("clerk", again))
		ref := again.ref("A", "1")
		require.NoError(t, again.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		time.Sleep(time.Second)
		require.Equal(t, "accepted", again.state(t, ref))
	})
}

// The store is away for a while: Run goes on when it is back, and says once that it was away.
func TestRunOutlastsTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaults(newMemory())
		r := newRig(t, f.Store(), nil, nil)
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		var away atomic.Bool
		away.Store(true)
		f.Hook(func(string, string) error {
			if away.Load() {
				return errors.New("connection refused")
			}
			return nil
		})
		r.run(t)
		time.Sleep(time.Minute)
		require.Len(t, r.log.Of("outbox.stalled"), 1)
		require.Contains(t, r.log.Of("outbox.stalled")[0].Reason, "connection refused")
		require.ErrorContains(t, r.out.Flush(t.Context()), "connection refused")
		away.Store(false)
		time.Sleep(6 * time.Second)
		require.Equal(t, []string{"x"}, r.sink.texts())
	})
}

func TestUnreadableEntriesDoNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := newRig(t, m, nil, nil)
		for i := range 3 {
			require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", fmt.Sprint(i)),
				letter{Text: fmt.Sprint(i), To: mail(fmt.Sprintf("a%d@example.org", i))}))
		}
		spoil(t, m)
		require.ErrorIs(t, r.out.Flush(t.Context()), store.ErrUnreadable)
		require.Len(t, r.sink.messages(), 2)
		r.run(t)
		time.Sleep(time.Minute)
		require.Len(t, r.log.Of("outbox.unreadable"), 1)
		require.Equal(t, 1, r.count(t, "outbox.entry"))
	})
}

// A store that cannot list: the process that added an entry sends it, with all that belongs to that; others do not see it.
func TestAStoreThatCannotList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := only{newMemory()}
		r, other := newRig(t, s, nil, nil), newRig(t, s, nil, nil)
		require.False(t, r.out.Durable())
		require.True(t, onMemory(t).out.Durable())
		failures := 3
		r.sink.then(func(context.Context, civicpin.Message) error {
			if failures > 0 {
				failures--
				return errors.New("not now")
			}
			return nil
		})
		ref, never := r.clerk.ref("A", "1"), r.clerk.ref("A", "2")
		require.NoError(t, r.out.Add(t.Context(), never))
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		other.run(t)
		r.run(t)
		time.Sleep(time.Hour)
		require.Empty(t, other.sink.messages())
		require.Len(t, r.sink.messages(), 4)
		require.Equal(t, "accepted", r.clerk.state(t, ref))
		require.Len(t, r.log.Of("outbox.not_durable"), 1)
		require.Zero(t, r.out.Own(), "what is done is forgotten")

		r.sink.then(func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable })
		dead := r.clerk.ref("A", "3")
		require.NoError(t, r.clerk.post(t.Context(), r.out, dead, letter{Text: "y", To: mail("b@example.org")}))
		time.Sleep(time.Minute)
		for _, err := range r.out.DeadLetters(t.Context()) {
			require.ErrorIs(t, err, store.ErrNoListing)
		}
		r.sink.then(nil)
		require.NoError(t, r.out.Retry(t.Context(), dead))
		time.Sleep(time.Minute)
		require.Equal(t, "accepted", r.clerk.state(t, dead))
	})
}

// What a process keeps in memory for a store that cannot list is bounded, and what visitors cause leaves room for notices.
func TestAStoreThatCannotListIsNotFilledWithoutEnd(t *testing.T) {
	r := newRig(t, only{newMemory()}, newClock(), nil)
	named := func(class outbox.Class) (refs []outbox.Ref) {
		for i := range outbox.MaxOwn + 1 {
			ref := r.clerk.ref("A", fmt.Sprint(class, i))
			ref.Class = class
			refs = append(refs, ref)
		}
		return refs
	}
	typed, notices := named(outbox.Typed), named(outbox.Notice)
	require.ErrorIs(t, r.out.Add(t.Context(), typed...), outbox.ErrBusy)
	require.NoError(t, r.out.Add(t.Context(), typed[0]), "it is there")
	require.Equal(t, outbox.MaxOwn/2, r.out.Own())
	require.ErrorIs(t, r.out.Add(t.Context(), notices...), outbox.ErrBusy)
	require.Equal(t, outbox.MaxOwn, r.out.Own())
}

func TestFlushHeedsItsContext(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.out.Flush(ctx), context.Canceled)
	require.ErrorIs(t, r.out.Run(ctx), context.Canceled)
	require.Error(t, r.out.Add(ctx, ref))
	require.Empty(t, r.sink.messages())
}

func TestEventCodesAreStable(t *testing.T) {
	for code, want := range map[civicpin.EventCode]string{
		"outbox.sent": "sent", "outbox.retried": "retried", "outbox.dead": "dead", "outbox.expired": "expired",
		"outbox.withdrawn": "withdrawn", "outbox.held": "held", "outbox.unconfirmed": "unconfirmed",
		"outbox.unsettled": "unsettled", "outbox.requeued": "requeued", "outbox.stuck": "stuck",
		"outbox.unknown_owner": "unknown_owner", "outbox.unreadable": "unreadable", "outbox.stalled": "stalled",
		"outbox.not_durable": "not_durable",
	} {
		require.Equal(t, "outbox."+want, string(code))
		require.False(t, strings.ContainsAny(string(code), " -"))
	}
}

func TestSendsOnceAndTellsTheOwner(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("RSSMRA", "issue-1/part-1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "ABCD2345", To: sms("+393331234567")}))
	for range 3 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Hour)
	}
	got := r.sink.messages()
	require.Len(t, got, 1)
	require.Equal(t, "ABCD2345", got[0].Secret.Reveal())
	require.Equal(t, sms("+393331234567"), got[0].To)
	require.Regexp(t, `^[0-9a-f]{32}$`, got[0].ID)
	require.Equal(t, "accepted", r.clerk.state(t, ref))
	require.Zero(t, r.count(t, "outbox.entry"))
	sent := r.log.Of("outbox.sent")
	require.Len(t, sent, 1)
	require.Equal(t, civicpin.Subject("RSSMRA"), sent[0].Subject)
	require.Equal(t, "issue-1/part-1", sent[0].Ref)
	require.Equal(t, "receipt-"+got[0].ID, sent[0].Reason)
	e, err := r.clerk.letters.Get(t.Context(), r.clerk.key(ref))
	require.NoError(t, err)
	require.Equal(t, "receipt-"+got[0].ID, e.Value.Receipt)
}

func TestMessageIDIsOfTheMessageAlone(t *testing.T) {
	r := onMemory(t)
	other := newClerk(t, r.vault, "other")
	require.NoError(t, r.out.Register("other", other))
	refs := []outbox.Ref{
		r.clerk.ref("A", "1"), r.clerk.ref("A", "2"), r.clerk.ref("B", "1"),
		{Owner: "other", Subject: "A", ID: "1"},
		r.clerk.ref("A", "other/1"),
	}
	r.sink.then(func(context.Context, civicpin.Message) error { return fmt.Errorf("not now") })
	for i, ref := range refs {
		owner := r.clerk
		if ref.Owner == "other" {
			owner = other
		}
		require.NoError(t, owner.post(t.Context(), r.out, ref, letter{Text: fmt.Sprint("text-", i), To: mail(fmt.Sprintf("a%d@example.org", i))}))
	}
	for range 3 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(10 * time.Minute)
	}
	ids := make(map[string]string)
	for _, m := range r.sink.messages() {
		if id, ok := ids[m.Secret.Reveal()]; ok {
			require.Equal(t, id, m.ID)
		}
		ids[m.Secret.Reveal()] = m.ID
	}
	require.Len(t, ids, len(refs))
	distinct := make(map[string]bool)
	for _, id := range ids {
		distinct[id] = true
	}
	require.Len(t, distinct, len(refs))
}

// copier keeps every byte that was ever written.
type copier struct {
	*store.Memory
	mu   sync.Mutex
	seen bytes.Buffer
}

func (c *copier) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	c.mu.Lock()
	c.seen.WriteString(key)
	c.seen.Write(r.Value)
	c.mu.Unlock()
	return c.Memory.Put(ctx, key, r)
}

// unsealed is a sealer that does not seal, so that the test can look.
type unsealed struct{}

func (unsealed) Seal(_ context.Context, p, _ []byte) ([]byte, error) { return bytes.Clone(p), nil }
func (unsealed) Open(_ context.Context, s, _ []byte) ([]byte, error) { return bytes.Clone(s), nil }

func TestNoTextAndNoAddressIsInTheOutboxsRecords(t *testing.T) {
	c := &copier{Memory: newMemory()}
	k := keys(t)
	k.Sealing[0].Sealer = unsealed{}
	v, err := store.OpenVault(t.Context(), c, k, nil)
	require.NoError(t, err)
	s := new(sink)
	out, err := outbox.New(v, s, &outbox.Options{MaxTries: 2, MinDelay: time.Millisecond, MaxDelay: time.Millisecond})
	require.NoError(t, err)
	o := &fixed{m: civicpin.Message{
		To: mail("maria@example.org"), Secret: civicpin.NewSecret("SECRET99"), Link: civicpin.NewSecret("token-of-the_link"),
	}}
	require.NoError(t, out.Register("fixed", o))
	s.then(func(_ context.Context, m civicpin.Message) error {
		return fmt.Errorf("550 cannot deliver %q, https://portal.example/r#%s", m.Secret.Reveal(), m.Link.Reveal())
	})
	ref := outbox.Ref{Owner: "fixed", Subject: "A", ID: "1"}
	require.NoError(t, out.Add(t.Context(), ref))
	require.NoError(t, out.Commit(t.Context(), ref))
	for range 3 {
		require.NoError(t, out.Flush(t.Context()))
		time.Sleep(5 * time.Millisecond)
	}
	require.Len(t, s.messages(), 2)
	all := c.seen.String()
	require.Contains(t, all, "550 cannot deliver", "the dead letter's reason")
	require.NotContains(t, all, "SECRET99")
	require.NotContains(t, all, "token-of-the_link")
	require.NotContains(t, strings.ToLower(all), "maria")
}

// fixed is an owner that always wants one message sent, whatever was settled.
type fixed struct {
	m  civicpin.Message
	mu sync.Mutex

	outcomes []outbox.Outcome
	settle   error
}

func (f *fixed) Confirm(context.Context, outbox.Ref) (civicpin.Message, error) { return f.m, nil }

func (f *fixed) Settle(_ context.Context, _ outbox.Ref, what outbox.Outcome) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcomes = append(f.outcomes, what)
	return f.settle
}

func TestLongestDueGoesFirst(t *testing.T) {
	r := onMemoryWith(t, &outbox.Options{Workers: 1})
	var want []string
	for i := range 30 {
		text := fmt.Sprintf("text-%02d", i)
		want = append(want, text)
		require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", text), letter{Text: text, To: mail(text + "@example.org")}))
		r.clock.Add(time.Second)
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, want, r.sink.texts())
}

// A crowd of dispatchers, each a process of its own on one store, sends each message once.
func TestManyDispatchersSendEachOnce(t *testing.T) {
	const dispatchers, messages = 64, 40
	s := newMemory()
	clock := newClock()
	rigs := make([]*rig, dispatchers)
	for i := range rigs {
		rigs[i] = newRig(t, s, clock, nil)
	}
	for i := range messages {
		text := fmt.Sprint("text-", i)
		require.NoError(t, rigs[0].clerk.post(t.Context(), rigs[0].out, rigs[0].clerk.ref("A", text),
			letter{Text: text, To: mail(text + "@example.org")}))
	}
	var wg sync.WaitGroup
	for _, r := range rigs {
		wg.Go(func() {
			if err := r.out.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := make(map[string]int)
	for _, r := range rigs {
		for _, text := range r.sink.texts() {
			got[text]++
		}
	}
	require.Len(t, got, messages)
	for text, n := range got {
		require.Equal(t, 1, n, text)
	}
	require.Zero(t, rigs[0].count(t, "outbox.entry"))
}

func TestRefs(t *testing.T) {
	r := onMemory(t)
	for name, ref := range map[string]outbox.Ref{
		"no owner":        {Subject: "A", ID: "1"},
		"owner's name":    {Owner: "a/b", Subject: "A", ID: "1"},
		"long owner":      {Owner: strings.Repeat("o", 65), Subject: "A", ID: "1"},
		"no subject":      {Owner: "clerk", ID: "1"},
		"no id":           {Owner: "clerk", Subject: "A"},
		"long id":         {Owner: "clerk", Subject: "A", ID: strings.Repeat("i", 257)},
		"control in id":   {Owner: "clerk", Subject: "A", ID: "1\n2"},
		"id is not UTF-8": {Owner: "clerk", Subject: "A", ID: "\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			good := r.clerk.ref("A", "1")
			require.ErrorIs(t, ref.Validate(), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.Add(t.Context(), good, ref), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.AddDecoy(t.Context(), good, ref), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.Commit(t.Context(), good, ref), civicpin.ErrInvalid)
			require.ErrorIs(t, r.out.Retry(t.Context(), ref), civicpin.ErrInvalid)
			require.Zero(t, r.count(t, "outbox.entry"), "nothing is written if one ref is bad")
		})
	}
}

// A stop waits for what is being sent, and marks it.
func TestStopWaitsForWhatIsBeingSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.sink.then(func(ctx context.Context, _ civicpin.Message) error {
			time.Sleep(20 * time.Second)
			return ctx.Err()
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		stop := r.run(t)
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		require.Equal(t, 19*time.Second, time.Since(began))
		require.Equal(t, "accepted", r.clerk.state(t, ref))
		require.Zero(t, r.count(t, "outbox.entry"))
	})
}

// BenchmarkQueue measures Add and Commit of one message.
func BenchmarkQueue(b *testing.B) {
	r := onMemory(b)
	ctx := context.Background()
	i := 0
	for b.Loop() {
		ref := r.clerk.ref("A", fmt.Sprint(i))
		i++
		require.NoError(b, r.out.Add(ctx, ref))
		require.NoError(b, r.out.Commit(ctx, ref))
	}
}

// BenchmarkFlush measures the dispatch of one of a thousand messages.
func BenchmarkFlush(b *testing.B) {
	const n = 1000
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, newMemory(), newClock(), nil)
		o := &crowd{left: make(map[string]bool)}
		require.NoError(b, r.out.Register("crowd", o))
		for i := range n {
			ref := outbox.Ref{Owner: "crowd", Subject: "A", ID: fmt.Sprint("+39333", 10000000+i)}
			o.left[ref.ID] = true
			require.NoError(b, r.out.Add(b.Context(), ref))
		}
		b.StartTimer()
		require.NoError(b, r.out.Flush(b.Context()))
		b.StopTimer()
		require.Zero(b, o.waiting())
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "us/message")
}

// BenchmarkListings measures a round over a hundred thousand messages that are all due; the longest listing of it, which is
// what holds up the others, and how much memory one listing keeps.
func BenchmarkListings(b *testing.B) {
	r := onMemory(b)
	for i := range 100_000 {
		require.NoError(b, r.out.Add(b.Context(), r.clerk.ref("A", fmt.Sprint(i))))
	}
	held := func() float64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		found, _, err := r.out.Scan(b.Context(), "")
		require.NoError(b, err)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(found)
		return float64(after.HeapAlloc) - float64(before.HeapAlloc)
	}()
	var longest time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for next, more := "", true; more; more = next != "" {
			var err error
			began := time.Now()
			_, next, err = r.out.Scan(b.Context(), next)
			longest = max(longest, time.Since(began))
			require.NoError(b, err)
		}
	}
	b.ReportMetric(held, "held-B")
	b.ReportMetric(float64(longest.Milliseconds()), "longest-ms")
}

// BenchmarkMessage measures a message from the request, with its limits by subject and source, until the notifier took it: one
// of a thousand from different visitors' subjects to different telephones, of each class.
func BenchmarkMessage(b *testing.B) {
	const n = 1000
	for _, class := range []outbox.Class{outbox.Typed, outbox.Proved, outbox.Shown, outbox.Notice} {
		b.Run(class.String(), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				r := newRig(b, newMemory(), newClock(), nil)
				o := &crowd{left: make(map[string]bool)}
				require.NoError(b, r.out.Register("crowd", o))
				l, err := r.out.Limit("x", class, testkit.Wide)
				require.NoError(b, err)
				b.StartTimer()
				for i := range n {
					ref := outbox.Ref{
						Owner: "crowd", Subject: civicpin.Subject(fmt.Sprint(i)), ID: fmt.Sprint("+39333", 10000000+i), Class: class,
					}
					o.left[ref.ID] = true
					err := r.out.Announce(b.Context(), outbox.Request{
						Refs: []outbox.Ref{ref}, Subject: ref.Subject, Limit: l, Source: here,
					}, func(context.Context) error { return nil })
					require.NoError(b, err)
				}
				require.NoError(b, r.out.Flush(b.Context()))
				b.StopTimer()
				require.Zero(b, o.waiting())
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "us/message")
		})
	}
}

// TestStoreCalls counts what docs/costs.md says. The owner's own calls are not among them: its function writes nothing here.
func TestStoreCalls(t *testing.T) {
	f := newFaults(newMemory())
	a := newAsking(t, f.Store())
	l := a.limit("otp", outbox.Proved, daily)
	var costs testkit.Costs
	count := func(call, when string, do func() error) {
		t.Helper()
		costs.Count(t, call, when, f, nil, func() { require.NoError(t, do()) })
	}
	require.NoError(t, a.out.Flush(t.Context())) // the first one looks how much waits

	announce := func(when string, r outbox.Request, n int) {
		t.Helper()
		for i := range 4 { // the first time and later, for known subjects and unknown ones
			r.Decoy, r.Refs = i%2 == 1, nil
			r.Subject = civicpin.Subject(fmt.Sprint("S", i%2))
			for j := range n {
				r.Refs = append(r.Refs, a.clerk.ref(string(r.Subject), fmt.Sprint(when, i, j)))
			}
			count("Announce", when, func() error {
				return a.out.Announce(t.Context(), r, func(context.Context) error { return nil })
			})
		}
	}
	announce("one message", outbox.Request{}, 1)
	announce("two messages", outbox.Request{}, 2)
	announce("one message, Limit", outbox.Request{Limit: l}, 1)
	announce("one message, Limit, source", outbox.Request{Limit: l, Source: here}, 1)
	announce("one message, Limit, operator", outbox.Request{Limit: l, By: civicpin.Operator("7"), Source: here}, 1)
	for _, subject := range []civicpin.Subject{"S0", "NOBODY"} {
		count("Limit.Take", "one message, source", func() error {
			return l.Take(t.Context(), outbox.Request{Subject: subject, Source: here, Others: 1})
		})
		count("Held", "", func() error { return testkit.Err(a.out.Held(t.Context(), subject)) })
	}
	require.NoError(t, a.out.Flush(t.Context())) // nothing is written that wants any of these sent
	a.clock.Add(time.Hour)
	require.NoError(t, a.out.Flush(t.Context()))
	count("Flush", "nothing is due", func() error { return a.out.Flush(t.Context()) })
	require.NoError(t, a.clerk.post(t.Context(), a.out, a.clerk.ref("A", "m"), letter{Text: "x", To: mail("a@example.org")}))
	count("Flush", "one message is sent, with three calls of its owner", func() error { return a.out.Flush(t.Context()) })
	require.Len(t, a.sink.messages(), 1)
	costs.Compare(t, "store/outbox")
}
