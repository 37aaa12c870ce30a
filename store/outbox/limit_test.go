package outbox_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// One address gets ten messages at once and one a minute from then on, over all processes and channels and however it is
// spelt; nothing is lost, no try is spent, and other addresses do not wait.
func TestOneAddressGetsABoundedNumberOfMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.NewMemory()
		a, b := newRig(t, s, nil, nil), newRig(t, s, nil, nil)
		const n = 25
		for i := range n {
			to := mail("maria@example.org")
			if i%2 == 1 {
				to.Address = "Maria@Example.ORG"
			}
			if i%3 == 0 {
				to.Channel = civicpin.CertifiedEmail
			}
			require.NoError(t, a.clerk.post(t.Context(), a.out, a.clerk.ref("A", fmt.Sprint(i)), letter{Text: "x", To: to}))
		}
		other := a.clerk.ref("B", "1")
		require.NoError(t, a.clerk.post(t.Context(), a.out, other, letter{Text: "y", To: mail("b@example.org")}))
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
		require.NotEmpty(t, append(a.log.Of(outbox.EventLimited), b.log.Of(outbox.EventLimited)...))
		require.Empty(t, letters(t, a.out))
	})
}

func TestTheLimitSparesTheTries(t *testing.T) {
	r := newRig(t, store.NewMemory(), newClock(), &outbox.Options{
		MaxTries:       1,
		PerDestination: outbox.Rate{Limit: 1, Window: time.Hour},
	})
	for i := range 3 {
		require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", fmt.Sprint(i)), letter{Text: "x", To: mail("a@example.org")}))
	}
	for range 40 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(7 * time.Minute)
	}
	require.Len(t, r.sink.messages(), 3)
	require.Empty(t, letters(t, r.out))
}

// A clock that was a year ahead has left its marks in entries and limits. They must not hold up anything for a year.
func TestAClockThatWasAhead(t *testing.T) {
	r := onMemory(t)
	const year = 365 * 24 * time.Hour
	r.clock.Add(year)
	for i := range 12 { // more than the limit, so that some wait
		require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", fmt.Sprint(i)), letter{Text: "x", To: mail("a@example.org")}))
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 10)
	ref := r.clerk.ref("A", "new")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("b@example.org")}))
	r.clock.Add(-year)
	for range 30 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Minute)
	}
	require.Len(t, r.sink.messages(), 13)
}
