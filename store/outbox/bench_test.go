package outbox_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
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
		r := newRig(b, store.NewMemory(), newClock(), nil)
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
