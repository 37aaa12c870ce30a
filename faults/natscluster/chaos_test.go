package natscluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/civicpin/civicpin/faults/natscluster"
)

// sleep waits, or returns false as soon as the context is done.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// leaderOf returns who leads a bucket, as soon as somebody does.
func leaderOf(tb testing.TB, c *natscluster.Cluster, nc *nats.Conn, stream string) *natscluster.Server {
	tb.Helper()
	js := natscluster.JetStream(tb, nc)
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if s := c.Leader(js, stream); s != nil {
			return s
		}
	}
	tb.Fatalf("nobody leads %s", stream)
	return nil
}

// chaos kills and freezes leaders of the given streams, one at a time, until the context is done, and then lets all of them
// run again.
func chaos(t *testing.T, c *natscluster.Cluster, streams ...string) func(context.Context) {
	nc := c.Connect(t)
	js := natscluster.JetStream(t, nc)
	return func(ctx context.Context) {
		counts := make(map[string]int)
		for sleep(ctx, time.Second) {
			victim := c.Leader(js, streams[rand.IntN(len(streams))])
			if victim == nil {
				continue
			}
			how := []string{"killed", "frozen", "stopped"}[rand.IntN(3)]
			counts[how]++
			switch how {
			case "killed":
				victim.Kill()
				sleep(ctx, rand.N(8*time.Second))
				victim.Start()
			case "frozen":
				victim.Freeze()
				sleep(ctx, rand.N(12*time.Second))
				victim.Thaw()
			case "stopped":
				victim.Stop()
				sleep(ctx, rand.N(2*time.Second))
				victim.Start()
			}
			sleep(ctx, rand.N(3*time.Second))
		}
		c.WaitReady()
		t.Log("leaders:", fmt.Sprint(counts))
	}
}
