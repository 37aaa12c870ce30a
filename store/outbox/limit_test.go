package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// limited returns options whose limits no test reaches, but for what change sets.
func limited(change func(*outbox.Limits)) *outbox.Options {
	o := &outbox.Options{Limits: testkit.Limits()}
	change(&o.Limits)
	return o
}

// posted posts a message of a class, whose text is its id.
func (r *rig) posted(t *testing.T, class outbox.Class, subject, id string, to civicpin.Contact, expires time.Time) outbox.Ref {
	t.Helper()
	ref := r.clerk.ref(subject, id)
	ref.Class = class
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: id, To: to, Expires: expires}))
	return ref
}

// One address gets so many messages at once and one a minute from then on, over all processes and channels and however it is
// spelt; nothing is lost, no try is spent, and other addresses do not wait.
func TestOneAddressGetsABoundedNumberOfMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		ten := limited(func(l *outbox.Limits) { l.Typed = civicpin.Rate{Limit: 10, Window: 10 * time.Minute} })
		a, b := newRig(t, s, nil, ten), newRig(t, s, nil, ten)
		const n = 25
		for i := range n {
			to := mail("maria@example.org")
			if i%2 == 1 {
				to.Address = "Maria@Example.ORG"
			}
			if i%3 == 0 {
				to.Channel = civicpin.CertifiedEmail
			}
			a.posted(t, outbox.Typed, "A", fmt.Sprint(i), to, time.Time{})
		}
		other := a.posted(t, outbox.Typed, "B", "1", mail("b@example.org"), time.Time{})
		a.run(t)
		b.run(t)
		sent := func() int { return len(a.sink.messages()) + len(b.sink.messages()) - 1 }
		time.Sleep(10 * time.Second)
		require.Equal(t, "accepted", a.clerk.state(t, other))
		require.Equal(t, 10, sent())
		for minutes := 1; minutes <= 10; minutes++ {
			time.Sleep(time.Minute)
			require.LessOrEqual(t, sent(), 10+minutes)
		}
		require.GreaterOrEqual(t, sent(), 15)
		time.Sleep(30 * time.Minute)
		require.Equal(t, n, sent())
		held := append(a.log.Of("outbox.held"), b.log.Of("outbox.held")...)
		require.Len(t, held, 1, "once an hour")
		require.Equal(t, "typed", held[0].Reason)
		require.NotRegexp(t, "(?i)maria", fmt.Sprint(held[0]))
		require.Empty(t, letters(t, a.out))
	})
}

// First come, first served: a message that is held is not overtaken, however many come after it.
func TestHeldMessagesAreNotOvertaken(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 2, Window: 2 * time.Hour}
	}))
	var want []string
	for i := range 12 {
		id := fmt.Sprintf("%02d", i)
		want = append(want, id)
		r.posted(t, outbox.Typed, "A", id, mail("a@example.org"), time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(10 * time.Minute)
	}
	for range 200 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(7 * time.Minute)
	}
	require.Equal(t, want, r.sink.texts())
}

// No class eats another's messages, a subject's own do not eat another subject's, and notices beyond the twentieth go as one.
func TestClassesApart(t *testing.T) {
	r := onMemoryWith(t, &outbox.Options{Limits: outbox.Limits{Source: testkit.Wide}}) // the defaults
	to := sms("+393331234567")
	flood := func(class outbox.Class, subject string) int {
		before := len(r.sink.messages())
		for i := range 70 {
			r.posted(t, class, subject, fmt.Sprint(class, i), to, time.Time{})
		}
		for range 3 {
			require.NoError(t, r.out.Flush(t.Context()))
		}
		return len(r.sink.messages()) - before
	}
	require.Equal(t, 3, flood(outbox.Typed, "A"))
	require.Equal(t, 40, flood(outbox.Proved, "A"))
	require.Equal(t, 60, flood(outbox.Shown, "A"))
	require.Equal(t, 60, flood(outbox.Shown, "B"))
	require.Equal(t, 20, flood(outbox.Notice, "A"), "and then the others as one")
	r.clock.Add(time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	more := slices.DeleteFunc(r.sink.messages(), func(m civicpin.Message) bool { return m.Params["more"] == "" })
	require.Len(t, more, 1)
	require.Equal(t, "49", more[0].Params["more"])
	require.Len(t, r.log.Of("outbox.merged"), 49)
}

// The telephones of a country are held together, those of a foreign one sooner, and only what a visitor typed.
func TestCountries(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Home, l.Abroad = civicpin.Rate{Limit: 5, Window: time.Hour}, civicpin.Rate{Limit: 2, Window: time.Hour}
		l.HomePrefixes = []string{"+593"}
	}))
	sent := func(class outbox.Class, prefix string) int {
		before := len(r.sink.messages())
		for i := range 8 {
			to := sms(fmt.Sprintf("%s%09d", prefix, 991234560+i))
			r.posted(t, class, "A", fmt.Sprint(class, prefix, i), to, time.Time{})
		}
		require.NoError(t, r.out.Flush(t.Context()))
		return len(r.sink.messages()) - before
	}
	require.Equal(t, 5, sent(outbox.Typed, "+593"))
	require.Equal(t, 2, sent(outbox.Typed, "+39"))
	require.Equal(t, 2, sent(outbox.Typed, "+34"), "each foreign country apart")
	require.Equal(t, 8, sent(outbox.Proved, "+39"))
	require.Equal(t, 8, sent(outbox.Notice, "+593"))
}

// A message whose turn comes when less than a fifth of its life is left is given up, and takes nobody's place.
func TestHeldTooLong(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Proved = civicpin.Rate{Limit: 1, Window: time.Hour}
	}))
	now := r.clock.Now()
	r.posted(t, outbox.Proved, "A", "first", mail("a@example.org"), now.Add(10*time.Minute))
	require.NoError(t, r.out.Flush(t.Context())) // so that it is the first
	late := r.posted(t, outbox.Proved, "A", "late", mail("a@example.org"), now.Add(74*time.Minute))
	require.NoError(t, r.out.Flush(t.Context()))
	last := r.posted(t, outbox.Proved, "A", "in time", mail("a@example.org"), now.Add(76*time.Minute))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, "failed", r.clerk.state(t, late))
	require.Len(t, r.log.Of("outbox.expired"), 1)
	r.clock.Add(time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, "accepted", r.clerk.state(t, last))
	require.Equal(t, []string{"first", "in time"}, r.sink.texts())
	require.Empty(t, letters(t, r.out))
}

// At most 64 messages of a class wait for one address.
func TestHeldMessagesAreBounded(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 1, Window: time.Hour}
	}))
	for i := range 80 {
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.log.Of("outbox.expired"), 80-1-64)
	require.Empty(t, letters(t, r.out), "nobody can do anything about them")
	for range 70 {
		r.clock.Add(time.Hour)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Len(t, r.sink.messages(), 65)
}

func TestTheLimitSparesTheTries(t *testing.T) {
	o := limited(func(l *outbox.Limits) { l.Typed = civicpin.Rate{Limit: 1, Window: time.Hour} })
	o.MaxTries = 1
	r := onMemoryWith(t, o)
	for i := range 3 {
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	for range 40 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(7 * time.Minute)
	}
	require.Len(t, r.sink.messages(), 3)
	require.Empty(t, letters(t, r.out))
}

// A message that fails is tried again without another place under the limit.
func TestAnotherTryKeepsThePlace(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	r.posted(t, outbox.Typed, "A", "1", mail("a@example.org"), time.Time{})
	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.log.Of("outbox.retried"), 1)
	r.sink.then(nil)
	r.clock.Add(time.Minute)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.log.Of("outbox.sent"), 1)
}

// A clock that was a year ahead has left its marks in entries and limits. They must not hold up anything for a year.
func TestAClockThatWasAhead(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 10, Window: 10 * time.Minute}
	}))
	const year = 365 * 24 * time.Hour
	r.clock.Add(year)
	for i := range 12 { // more than the limit, so that some wait
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 10)
	r.posted(t, outbox.Typed, "A", "new", mail("b@example.org"), time.Time{})
	r.clock.Add(-year)
	for range 120 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Minute)
	}
	require.Len(t, r.sink.messages(), 13)
}

// The messages to a country wait for their turn, and are not lost, though more than 64 wait.
func TestCountriesHold(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Abroad, l.HomePrefixes = civicpin.Rate{Limit: 100, Window: time.Hour}, []string{"+593"}
	}))
	for i := range 300 {
		to := civicpin.Contact{Channel: civicpin.SMS, Address: fmt.Sprintf("+39%09d", 330000000+i)}
		r.posted(t, outbox.Typed, fmt.Sprint("X", i), "x", to, time.Time{})
	}
	for range 5 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Hour)
	}
	require.Len(t, r.sink.messages(), 300)
}

// A message that a country's limit gives up does not use up a place of its address.
func TestNoPlaceIsLost(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Home, l.Typed = civicpin.Rate{Limit: 1, Window: time.Hour}, civicpin.Rate{Limit: 3, Window: 24 * time.Hour}
	}))
	to := civicpin.Contact{Channel: civicpin.SMS, Address: "+393330000000"}
	other := civicpin.Contact{Channel: civicpin.SMS, Address: "+393331111111"}
	r.posted(t, outbox.Typed, "X", "x", other, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	for i := range 20 {
		r.posted(t, outbox.Typed, "V", fmt.Sprint(i), to, r.clock.Now().Add(10*time.Minute))
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Len(t, r.log.Of("outbox.expired"), 20)
	r.clock.Add(2 * time.Hour)
	late := r.posted(t, outbox.Typed, "V", "later", to, r.clock.Now().Add(10*time.Minute))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, "accepted", r.clerk.state(t, late))
}

// With a slow rate a place beyond the longest wait is refused, and not taken again and again.
func TestSlowRates(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 1, Window: 7 * 24 * time.Hour}
	}))
	for i := range 7 { // five have their turn within the longest wait
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	for range 80 {
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Len(t, r.log.Of("outbox.expired"), 2)
	for range 5 {
		r.clock.Add(7 * 24 * time.Hour)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Len(t, r.sink.messages(), 5)
	later := r.posted(t, outbox.Typed, "A", "later", mail("a@example.org"), r.clock.Now().Add(time.Hour))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, "accepted", r.clerk.state(t, later))
}

// HomePrefixes that no telephone number has are refused.
func TestHomePrefixes(t *testing.T) {
	for _, p := range []string{"593", "", "+", "+5939", "+1809"} {
		_, err := outbox.WithDefaults(limited(func(l *outbox.Limits) { l.HomePrefixes = []string{p} }))
		require.ErrorIs(t, err, civicpin.ErrInvalid, p)
	}
}

// A notice that was given up and is retried is a notice: it is not held.
func TestARetriedNoticeIsNotHeld(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Shown = civicpin.Rate{Limit: 1, Window: time.Hour}
	}))
	r.sink.then(func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable })
	for i := range 5 {
		r.posted(t, outbox.Notice, "A", fmt.Sprint(i), mail("a@example.org"), time.Time{})
	}
	require.NoError(t, r.out.Flush(t.Context()))
	r.sink.then(nil)
	for _, l := range letters(t, r.out) {
		require.NoError(t, r.out.Retry(t.Context(), l.Ref))
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.log.Of("outbox.sent"), 5)
}

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

// model is what an observer knows of a system of two processes that queue, replace, and dispatch in any order, with clocks
// that differ, a notifier that fails as it likes, and processes that die in the notifier.
type model struct {
	t      *testing.T
	memory *store.Memory
	clocks [2]*testkit.Clock
	rigs   [2]*rig
	lines  [2]*mortal
	opts   *outbox.Options
	bound  int // of a listing
	next   int
	state  map[string]string // of each message: added, wanted, committed, replaced, decoy

	sends   map[string]int // accepted by the notifier
	tries   map[string]int
	crashes map[string]int // of those, how often the process died before it could be written down
}

func newModel(tt *testing.T, t *rapid.T) *model {
	m := &model{
		t:       tt,
		memory:  newMemory(),
		opts:    &outbox.Options{Workers: 1, MaxTries: 4, Limits: outbox.Limits{Typed: civicpin.Rate{Limit: 3, Window: time.Minute}}},
		bound:   rapid.SampledFrom([]int{1, 2, 3, 10_000}).Draw(t, "bound"),
		state:   make(map[string]string),
		sends:   make(map[string]int),
		tries:   make(map[string]int),
		crashes: make(map[string]int),
	}
	for i := range m.rigs {
		m.clocks[i] = newClock()
		m.clocks[i].Add(time.Duration(i) * rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute}).Draw(t, "skew"))
		m.start(t, i)
	}
	return m
}

// start starts a process, anew if it was there.
func (m *model) start(t require.TestingT, i int) {
	m.lines[i] = newMortal(m.memory)
	m.rigs[i] = newRig(t, m.lines[i], m.clocks[i], m.opts)
	m.rigs[i].out.Shrink(1<<13, m.bound)
}

// ref names message i by its text.
func (m *model) ref(text string) outbox.Ref { return m.rigs[0].clerk.ref("A", text) }

func (m *model) letter(text string) letter {
	return letter{State: "wanted", Text: text, To: mail("to-" + text[len(text)-1:] + "@example.org")}
}

// some draws a message in one of the given states.
func (m *model) some(t *rapid.T, states ...string) string {
	var in []string
	for i := range m.next {
		text := fmt.Sprintf("text-%03d", i)
		for _, s := range states {
			if m.state[text] == s {
				in = append(in, text)
			}
		}
	}
	if len(in) == 0 {
		t.Skip("no such message")
	}
	return rapid.SampledFrom(in).Draw(t, "message")
}

func (m *model) process(t *rapid.T) *rig {
	return m.rigs[rapid.IntRange(0, 1).Draw(t, "process")]
}

func (m *model) add(t *rapid.T) {
	text := fmt.Sprintf("text-%03d", m.next)
	m.next++
	r := m.process(t)
	if rapid.IntRange(0, 3).Draw(t, "decoy") == 0 {
		require.NoError(t, r.out.AddDecoy(t.Context(), m.ref(text)))
		m.state[text] = "decoy"
		return
	}
	require.NoError(t, r.out.Add(t.Context(), m.ref(text)))
	m.state[text] = "added"
}

func (m *model) write(t *rapid.T) {
	text := m.some(t, "added")
	require.NoError(t, m.process(t).clerk.write(t.Context(), m.ref(text), m.letter(text)))
	m.state[text] = "wanted"
}

func (m *model) commit(t *rapid.T) {
	text := m.some(t, "wanted", "committed", "decoy", "replaced")
	if m.rigs[0].clerk.state(t, m.ref(text)) == "failed" {
		return // a Commit so late would be a Retry
	}
	require.NoError(t, m.process(t).out.Commit(t.Context(), m.ref(text)))
	if m.state[text] == "wanted" {
		m.state[text] = "committed"
	}
}

func (m *model) replace(t *rapid.T) {
	text := m.some(t, "wanted", "committed")
	if m.rigs[0].clerk.state(t, m.ref(text)) == "accepted" {
		return
	}
	require.NoError(t, m.process(t).clerk.write(t.Context(), m.ref(text), letter{State: "replaced"}))
	m.state[text] = "replaced"
}

func (m *model) pass(t *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, 3 * time.Minute, time.Hour}).Draw(t, "d")
	for _, c := range m.clocks {
		c.Add(d)
	}
}

func (m *model) retry(t *rapid.T) {
	dead := letters(t, m.rigs[0].out)
	if len(dead) == 0 {
		t.Skip("no dead letter")
	}
	l := rapid.SampledFrom(dead).Draw(t, "letter")
	require.NoError(t, m.process(t).out.Retry(t.Context(), l.Ref))
	m.tries[l.Ref.ID] = 0
}

// flush dispatches in one process, with a notifier of changing mood. It judges each message that arrives.
func (m *model) flush(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "process")
	moods := rapid.SliceOfN(rapid.SampledFrom([]string{"ok", "ok", "fail", "undeliverable", "panic", "die"}), 8, 8).Draw(t, "moods")
	r, line := m.rigs[i], m.lines[i]
	var wrong []string
	n := 0
	r.sink.then(func(_ context.Context, msg civicpin.Message) error {
		mood := moods[n%len(moods)]
		n++
		text := msg.Secret.Reveal()
		if s := m.state[text]; s != "wanted" && s != "committed" {
			wrong = append(wrong, text+" is "+s)
		}
		if m.sends[text] > m.crashes[text] {
			wrong = append(wrong, text+" was sent before")
		}
		if m.tries[text]++; m.tries[text] > m.opts.MaxTries {
			wrong = append(wrong, text+" was tried too often")
		}
		switch mood {
		case "ok":
			m.sends[text]++
		case "fail":
			return errors.New("not now")
		case "undeliverable":
			return civicpin.ErrUndeliverable
		case "panic":
			panic("oh")
		case "die":
			line.die() // the provider has it; nobody will know
			m.sends[text]++
			m.crashes[text]++
		}
		return nil
	})
	var err error
	synctest.Test(m.t, func(*testing.T) { err = r.out.Flush(context.Background()) }) // so that waiting takes no time
	require.Empty(t, wrong)
	if line.dead.Load() {
		m.start(t, i)
	} else {
		require.NoError(t, err)
	}
}

// settle lets everything come to its end, with a notifier that works.
func (m *model) settle(t *rapid.T) {
	for i := range m.rigs {
		m.rigs[i].sink.then(func(_ context.Context, msg civicpin.Message) error {
			m.sends[msg.Secret.Reveal()]++
			return nil
		})
	}
	// Long enough for any wait, and often enough for the limit of one address.
	for range 60 {
		for _, r := range m.rigs {
			require.NoError(t, r.out.Flush(t.Context()))
		}
		for _, c := range m.clocks {
			c.Add(2 * time.Hour)
		}
	}
}

func TestModel(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(outer, t)
		t.Repeat(map[string]func(*rapid.T){
			"add":     m.add,
			"write":   m.write,
			"commit":  m.commit,
			"replace": m.replace,
			"pass":    m.pass,
			"retry":   m.retry,
			"flush":   m.flush,
			"":        func(*rapid.T) {},
		})
		m.settle(t)
		dead := make(map[string]bool)
		for _, l := range letters(t, m.rigs[0].out) {
			dead[l.Ref.ID] = true
		}
		require.Zero(t, m.rigs[0].count(t, "outbox.entry"))
		for text, state := range m.state {
			at := text + " " + state
			require.LessOrEqual(t, m.sends[text], m.crashes[text]+1, at)
			switch state {
			case "committed":
				if m.sends[text] == 0 {
					require.True(t, dead[text], at)
					require.Equal(t, "failed", m.rigs[0].clerk.state(t, m.ref(text)), at)
				} else if !dead[text] {
					require.Equal(t, "accepted", m.rigs[0].clerk.state(t, m.ref(text)), at)
				}
			case "added", "decoy":
				require.Zero(t, m.sends[text], at)
			}
		}
	})
}
