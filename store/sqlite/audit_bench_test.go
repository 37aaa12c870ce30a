package sqlite_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
)

func auditVault(b *testing.B) *store.Vault {
	v, err := store.OpenVault(b.Context(), open(b, newPath(b)), testkit.Keys(), nil)
	require.NoError(b, err)
	return v
}

// BenchmarkAudit records events from many goroutines at once: how many events a second the log takes on a disk.
func BenchmarkAudit(b *testing.B) {
	for _, chains := range []int{1, 4} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("chains=%d/callers=%d", chains, callers), func(b *testing.B) {
				l, err := audit.New(auditVault(b), audit.Config{
					Chains: chains,
					Failed: func(_ context.Context, _ civicpin.Event, err error) { b.Error(err) },
				})
				require.NoError(b, err)
				var n atomic.Int64
				b.SetParallelism(max(1, callers/2)) // of two processors
				record := func() {
					subject := civicpin.Subject(fmt.Sprint(n.Add(1) % 1000))
					l.Record(b.Context(), civicpin.Event{Code: "pin.verified", Subject: subject})
				}
				if callers == 1 {
					for b.Loop() {
						record()
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							record()
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
