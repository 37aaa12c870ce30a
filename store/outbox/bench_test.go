package outbox_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store/outbox"
)

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
