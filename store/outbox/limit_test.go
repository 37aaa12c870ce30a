package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
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
		require.NotContains(t, strings.ToLower(fmt.Sprint(held[0])), "maria")
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
