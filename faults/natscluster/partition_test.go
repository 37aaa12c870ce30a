package natscluster_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/faults/proxy"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// routes are the links between the servers of a cluster, by who dials and who is dialled.
type routes map[[2]int]*proxy.Proxy

// startWithRoutes starts a cluster whose servers reach each other over links only.
func startWithRoutes(t *testing.T, n int) (*natscluster.Cluster, routes) {
	t.Helper()
	r := make(routes)
	c := natscluster.Start(t, n, natscluster.Options{Routes: func(from, to int, address string) string {
		r[[2]int{from, to}] = proxy.New(t, address)
		return r[[2]int{from, to}].Addr()
	}})
	return c, r
}

// around breaks each link from and to a server, or heals it if the fault is "".
func (r routes) around(t *testing.T, c *natscluster.Cluster, s *natscluster.Server, f proxy.Fault) {
	t.Helper()
	for ends, link := range r {
		if c.Servers[ends[0]] == s || c.Servers[ends[1]] == s {
			breakOrHeal(t, link, f)
		}
	}
}

func breakOrHeal(t *testing.T, link *proxy.Proxy, f proxy.Fault) {
	t.Helper()
	err := link.Heal()
	if f != "" {
		err = link.Break(f)
	}
	if err != nil {
		t.Error(err)
	}
}

// routesOf returns how many connections to other servers a server says to have.
func routesOf(t *testing.T, s *natscluster.Server) int {
	t.Helper()
	nc, err := nats.Connect(s.URL, nats.UserInfo(natscluster.System, natscluster.Password))
	require.NoError(t, err)
	defer nc.Close()
	m, err := nc.Request("$SYS.REQ.SERVER.PING.ROUTEZ", nil, time.Second)
	require.NoError(t, err)
	var answer struct {
		Data struct {
			Routes *int `json:"num_routes"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(m.Data, &answer))
	require.NotNil(t, answer.Data.Routes)
	return *answer.Data.Routes
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
	// A server that leads the whole cluster as well as the bucket takes longest to notice that it does not.
	nc, sys := c.Connect(t), c.ConnectSystem(t)
	var leader *natscluster.Server
	require.Eventually(t, func() bool {
		leader = leaderOf(t, c, nc, "KV_civicpin-0")
		meta := c.MetaLeader(sys)
		if meta != nil && meta != leader {
			natscluster.Hand(nc, "KV_civicpin-0", meta)
		}
		return meta == leader
	}, 30*time.Second, 200*time.Millisecond)
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

	links.around(t, c, leader, proxy.Cut)
	require.Eventually(t, func() bool { return routesOf(t, leader) == 0 }, 5*time.Second, 10*time.Millisecond)
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

	links.around(t, c, leader, "")
	require.Eventually(t, func() bool {
		value, err := get(asks, time.Second)
		require.NotEqual(t, "valid", value)
		require.NotEqual(t, "valid again", value)
		return err == nil && value == "revoked"
	}, time.Minute, 100*time.Millisecond)
}
