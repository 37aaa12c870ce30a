package natscluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/faults/network"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// routes are the links between the servers of a cluster, by who dials and who is dialled.
type routes map[[2]int]*network.Link

// startWithRoutes starts a cluster whose servers reach each other over links only.
func startWithRoutes(t *testing.T, n int) (*natscluster.Cluster, routes) {
	t.Helper()
	r := make(routes)
	c := natscluster.Start(t, n, natscluster.Options{Routes: func(from, to int, address string) string {
		r[[2]int{from, to}] = network.Start(t, address)
		return r[[2]int{from, to}].Address()
	}})
	return c, r
}

// around does something to each link from and to a server.
func (r routes) around(c *natscluster.Cluster, s *natscluster.Server, do func(*network.Link)) {
	for ends, link := range r {
		if c.Servers[ends[0]] == s || c.Servers[ends[1]] == s {
			do(link)
		}
	}
}

// others returns the servers of a cluster but one.
func others(c *natscluster.Cluster, s *natscluster.Server) []*natscluster.Server {
	var all []*natscluster.Server
	for _, o := range c.Servers {
		if o != s {
			all = append(all, o)
		}
	}
	return all
}

// within calls do with a deadline.
func within[T any](t *testing.T, d time.Duration, do func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return do(ctx)
}

// TestLeaderCutOff cuts a leader off from the other servers, but not from its clients. While it takes itself for the leader,
// a store that trusts it returns what has been replaced long since: this is what LeaderReads document. ConfirmedReads return
// the record that counts, or an error.
func TestLeaderCutOff(t *testing.T) {
	t.Parallel()
	c, links := startWithRoutes(t, 3)
	trusting, sure := natsstore.Options{Buckets: 1, Reads: natsstore.LeaderReads}, natsstore.Options{Buckets: 1}
	open(t, c, sure) // makes the bucket
	leader := leaderOf(t, c, c.Connect(t), "KV_civicpin-0")
	away := open(t, c, sure, others(c, leader)...)
	trusts, asks := open(t, c, trusting, leader), open(t, c, sure, leader)
	v, err := away.Put(t.Context(), "pin", store.Record{Value: []byte("valid")})
	require.NoError(t, err)
	get := func(h handle, d time.Duration) (string, error) {
		r, err := within(t, d, func(ctx context.Context) (store.Record, error) { return h.Get(ctx, "pin") })
		return string(r.Value), err
	}
	for _, h := range []handle{trusts, asks} {
		value, err := get(h, 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, "valid", value)
	}

	links.around(c, leader, (*network.Link).Cut)
	// The others elect a leader of their own, which takes them some seconds.
	start := time.Now()
	for {
		_, err := within(t, 500*time.Millisecond, func(ctx context.Context) (store.Version, error) {
			return away.Put(ctx, "pin", store.Record{Value: []byte("revoked"), Version: v})
		})
		if value, getErr := get(away, time.Second); err == nil || getErr == nil && value == "revoked" {
			t.Log("others wrote after", time.Since(start))
			break
		}
		require.Less(t, time.Since(start), time.Minute, "%v", err)
	}
	value, err := get(trusts, time.Second)
	t.Logf("a leader that is none any more answers %q, %v", value, err)
	if time.Since(start) < 9*time.Second { // after ten without the others it may notice
		require.Equal(t, "valid", value, "%v: LeaderReads are better than they are documented", err)
	}
	value, err = get(asks, time.Second)
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrNotFound)
	require.Empty(t, value)
	_, err = within(t, time.Second, func(ctx context.Context) (store.Version, error) {
		return asks.Put(ctx, "pin", store.Record{Value: []byte("valid again"), Version: v})
	})
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrConflict)

	links.around(c, leader, (*network.Link).Heal)
	require.Eventually(t, func() bool {
		value, err := get(asks, time.Second)
		require.NotEqual(t, "valid", value)
		require.NotEqual(t, "valid again", value)
		return err == nil && value == "revoked"
	}, time.Minute, 100*time.Millisecond)
}
