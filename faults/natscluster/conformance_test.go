package natscluster_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
	"github.com/civicpin/civicpin/store/storetest"
)

// handle is a store with a connection of its own, which is closed with it: what a process has.
type handle struct {
	*natsstore.Store
	close func()
}

func (h handle) Close() error {
	h.close()
	return nil
}

// open returns a handle on a cluster's buckets.
func open(tb testing.TB, c *natscluster.Cluster, opts natsstore.Options, servers ...*natscluster.Server) handle {
	tb.Helper()
	nc := c.Connect(tb, servers...)
	s, err := natsstore.New(tb.Context(), natscluster.JetStream(tb, nc), &opts)
	require.NoError(tb, err)
	return handle{s, nc.Close}
}

func TestStore(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 1, natscluster.Options{})
	storetest.RunDurable(t, func(t *testing.T, dir string) store.Store {
		// A name for each directory: the store keeps its data with the server.
		name := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, dir)
		return open(t, c, natsstore.Options{Name: name, Buckets: 4, Replicas: 1})
	})
}

func TestStoreOnCluster(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 3, natscluster.Options{})
	storetest.RunDurable(t, func(t *testing.T, dir string) store.Store {
		return open(t, c, natsstore.Options{Buckets: 4})
	})
}
