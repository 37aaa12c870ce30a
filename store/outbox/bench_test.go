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
