package natscluster_test

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/linear"
	"github.com/civicpin/civicpin/faults/natscluster"
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

// TestLinearizable kills, freezes and stops leaders under clients that compete for few keys.
func TestLinearizable(t *testing.T) {
	c := natscluster.Start(t, 3, natscluster.Options{})
	opts := natsstore.Options{Buckets: 2}
	r := linear.Run(t, linear.Config{
		Clients: clients, Keys: 6, For: times(20*time.Second, 3*time.Minute), Patience: 5 * time.Second, Think: 5 * time.Millisecond,
		Open: stores(t, c, opts, 9), Chaos: chaos(t, c, "KV_civicpin-0", "KV_civicpin-1"), Recovery: time.Minute,
	})
	require.Equal(t, porcupine.Ok, r.Verdict, "%s", r)
	require.Greater(t, r.Done, 100)
	require.Greater(t, r.Reads, 100)
}
