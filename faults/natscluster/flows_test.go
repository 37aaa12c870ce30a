package natscluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/flows"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// TestNothingLost kills leaders of a cluster of five, one a round, under sixteen clients who log in, change their PINs, use
// codes, guess, have PINs issued, and recover them. What was acknowledged is there in the end, and what was consumed or locked
// stays so.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	const buckets = 16
	c := natscluster.Start(t, 5, natscluster.Options{})
	opts := natsstore.Options{Buckets: buckets}
	open(t, c, opts) // makes the buckets
	nc := c.Connect(t)
	j := flows.Run(t, flows.Config{
		Open: func(client int) (store.Store, error) {
			// Each client is a process with a connection of its own, to another server first.
			first := c.Servers[client%len(c.Servers)]
			return open(t, c, opts, append([]*natscluster.Server{first}, c.Servers...)...), nil
		},
		Chaos: func(ctx context.Context, j *kit.Journal) {
			all := []string{"logins", "codes used", "locks", "issues", "links used", "recoveries finished"}
			require.NoError(t, j.Progress(ctx, 1, all...))
			for round := range kit.Pick(2, 20) {
				bucket := rand.IntN(buckets)
				leader := leaderOf(t, c, nc, fmt.Sprint("KV_civicpin-", bucket))
				start := time.Now()
				leader.Kill()
				// Two of three are left of every bucket: everybody gets on without it.
				require.NoError(t, j.Progress(ctx, 1, all...))
				t.Logf("round %d: %s killed; all get on after %v", round, leader.Name, time.Since(start).Round(time.Millisecond))
				leader.Start()
				require.NoError(t, j.Progress(ctx, 1, "logins", "codes used", "locks", "issues"))
			}
			c.WaitReady()
		},
	})
	require.Empty(t, j.Broken())
	for _, what := range []string{
		"logins audited", "codes audited", "locks audited", "parts audited", "recoveries audited", "notices audited",
	} {
		require.Positive(t, j.Counts()[what], what)
	}
}
