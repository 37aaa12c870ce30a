package natscluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/linear"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/faults/proxy"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// clients is how many work on few keys.
const clients = 36

// stores opens some handles on a cluster, each connected to another server first, and deals them out to clients.
func stores(t *testing.T, c *natscluster.Cluster, opts natsstore.Options, n int) func(client int) (store.Store, error) {
	t.Helper()
	var all []store.Store
	for i := range n {
		s := c.Servers[i%len(c.Servers)]
		nc := natscluster.Connect(t, s.URL+","+c.URLs())
		st, err := natsstore.New(t.Context(), natscluster.JetStream(t, nc), &opts)
		require.NoError(t, err)
		all = append(all, st)
	}
	return func(client int) (store.Store, error) { return all[client%n], nil }
}

// work lets clients compete for few keys for some time while something goes wrong, and requires a linear history.
func work(
	t *testing.T, short, full time.Duration, open func(client int) (store.Store, error), chaos func(context.Context),
) linear.Result {
	t.Helper()
	r := linear.Run(t, linear.Config{
		Clients: clients, Keys: 6, For: kit.Pick(short, full), Patience: 5 * time.Second, Think: 5 * time.Millisecond,
		Open: open, Chaos: chaos, Recovery: time.Minute,
	})
	require.Equal(t, porcupine.Ok, r.Verdict, "%s", r)
	require.Greater(t, r.Done, 20)
	return r
}

// TestLinearizable kills, freezes and stops leaders under clients that compete for few keys.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 3, natscluster.Options{})
	opts := natsstore.Options{Buckets: 2}
	r := work(t, 15*time.Second, 3*time.Minute, stores(t, c, opts, 9), chaos(t, c, "KV_civicpin-0", "KV_civicpin-1"))
	require.Greater(t, r.Reads, 20)
}

// TestLinearizableOnOneServer kills the only server there is, and starts it again.
func TestLinearizableOnOneServer(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 1, natscluster.Options{})
	kills := 0
	open := stores(t, c, natsstore.Options{Buckets: 2, Replicas: 1}, 9)
	work(t, 6*time.Second, time.Minute, open, func(ctx context.Context) {
		for ; sleep(ctx, rand.N(time.Second)); kills++ {
			c.Servers[0].Kill()
			sleep(ctx, rand.N(300*time.Millisecond))
			c.Servers[0].Start()
		}
		c.WaitReady()
	})
	require.Positive(t, kills)
}

// TestLinearizableOverBadNetworks delays, cuts and silences connections of clients to servers and of servers to each other,
// loses replies, and in between kills leaders.
func TestLinearizableOverBadNetworks(t *testing.T) {
	t.Parallel()
	c, between := startWithRoutes(t, 3)
	opts := natsstore.Options{Buckets: 2}
	open(t, c, opts) // makes the buckets
	var links []*proxy.Proxy
	var all []store.Store
	for i := range 9 {
		l := proxy.New(t, c.Servers[i%3].Address)
		links = append(links, l)
		nc := natscluster.Connect(t, "nats://"+l.Addr())
		s, err := natsstore.New(t.Context(), natscluster.JetStream(t, nc), &opts)
		require.NoError(t, err)
		all = append(all, s)
	}
	js := natscluster.JetStream(t, c.Connect(t))
	counts := make(map[string]int)
	worst := func(ctx context.Context) {
		for sleep(ctx, 200*time.Millisecond) {
			f := proxy.Faults[rand.IntN(len(proxy.Faults))]
			leader := c.Leader(js, fmt.Sprint("KV_civicpin-", rand.IntN(2)))
			switch what := rand.IntN(10); {
			case what < 7 || leader == nil: // some clients
				counts["clients: "+string(f)]++
				some := rand.Perm(len(links))[:1+rand.IntN(5)]
				for _, i := range some {
					breakOrHeal(t, links[i], f)
				}
				sleep(ctx, rand.N(2*time.Second))
				for _, i := range some {
					breakOrHeal(t, links[i], "")
				}
			case what < 9: // a leader and its followers
				counts["servers: "+string(f)]++
				between.around(t, c, leader, f)
				sleep(ctx, rand.N(7*time.Second))
				between.around(t, c, leader, "")
			default:
				counts["killed"]++
				leader.Kill()
				sleep(ctx, rand.N(2*time.Second))
				leader.Start()
			}
		}
		c.WaitReady()
		t.Log(counts)
	}
	r := work(t, 15*time.Second, 3*time.Minute,
		func(client int) (store.Store, error) { return all[client%len(all)], nil }, worst)
	require.Greater(t, r.Reads, 20)
}
