package natscluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/guess"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

// openAt opens the store whose name stands before the servers' addresses, in buckets with that many copies.
func openAt(ctx context.Context, where string) (store.Store, error) {
	var opts natsstore.Options
	var urls string
	if _, err := fmt.Sscan(where, &opts.Name, &opts.Replicas, &urls); err != nil {
		return nil, err
	}
	opts.Buckets = 4
	nc, err := natscluster.Dial(urls)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	s, err := natsstore.New(ctx, js, &opts)
	return handle{s, nc.Close}, err
}

// places returns a function that names a new store each time.
func places(c *natscluster.Cluster, replicas int) func(*testing.T) string {
	n := 0
	return func(*testing.T) string {
		n++
		return fmt.Sprint("guess", n, " ", replicas, " ", c.URLs())
	}
}

// TestGuesser is not a test: it is what a process of the tests below does.
func TestGuesser(t *testing.T) { guess.Child(t, openAt) }

// TestGuessers: four processes, a thousand wrong guesses, five compared.
func TestGuessers(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 1, natscluster.Options{})
	guess.All(t, places(c, 1), openAt, 120*time.Millisecond, func() {
		c.Servers[0].Kill()
		c.Servers[0].Start()
	})
}

// TestGuessersOnCluster does the same on three servers, whose leaders are killed meanwhile.
func TestGuessersOnCluster(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t, 3, natscluster.Options{})
	newWhere := places(c, 3)
	t.Run("share a limit", func(t *testing.T) { guess.ShareALimit(t, newWhere(t)) })
	t.Run("share a limit while a leader is killed", func(t *testing.T) {
		failed := 0
		nc := c.Connect(t)
		for round := range kit.Pick(1, 20) {
			where := newWhere(t)
			s, err := openAt(t.Context(), where) // makes the buckets, before the guessers are started
			require.NoError(t, err)
			require.NoError(t, s.(handle).Close())
			name, _, _ := strings.Cut(where, " ")
			leader := leaderOf(t, c, nc, fmt.Sprint("KV_", name, "-", rand.IntN(4)))
			failed += guess.ShareALimitThrough(t, where, round, func() {
				time.Sleep(rand.N(300 * time.Millisecond))
				leader.Kill()
				time.Sleep(time.Second)
				leader.Start()
				c.WaitReady()
			})
		}
		t.Log(failed, "guesses met a server that was down")
	})
}
