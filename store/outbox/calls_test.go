package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestStoreCalls counts what docs/costs.md says. The owner's own calls are not among them: its function writes nothing here.
func TestStoreCalls(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
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
