package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

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
