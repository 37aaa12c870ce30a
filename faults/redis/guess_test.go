package redis_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/guess"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/redisstore"
)

// handle is a store with the client that it works through.
type handle struct {
	store.Store
	client redis.UniversalClient
}

// Close closes the client.
func (h handle) Close() error { return h.client.Close() }

// openAt opens the store of a prefix and addresses: one, or those of a cluster.
//
// It accepts the loss of the very records that Redis must not hold, counts of guesses: no failover happens here, and without
// one nothing is lost of what a server with persistent settings acknowledged. That is what is tested: the conditional write.
// What a failover loses is in TestAcknowledgedLoss of store/redisstore.
func openAt(ctx context.Context, where string) (store.Store, error) {
	f := strings.Fields(where)
	prefix, addrs := f[0], f[1:]
	var client redis.UniversalClient
	if len(addrs) > 1 {
		client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true, DisableIdentity: true})
	} else {
		client = redis.NewClient(&redis.Options{Addr: addrs[0], ContextTimeoutEnabled: true, DisableIdentity: true})
	}
	s, err := redisstore.New(ctx, client, &redisstore.Options{Prefix: prefix})
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	all := []string{"*"}
	routed, err := store.NewRouter(store.Route{Kinds: all, Store: s, MayLose: all})
	return handle{routed, client}, err
}

// places returns a function that names an empty store each time.
func places(nodes ...*servers.RedisServer) func(*testing.T) string {
	var addrs []string
	for _, node := range nodes {
		addrs = append(addrs, node.Addr())
	}
	n := 0
	return func(*testing.T) string {
		n++
		return fmt.Sprintf("guess%d %s", n, strings.Join(addrs, " "))
	}
}

// TestGuesser is not a test: it is what a process of the tests below does.
func TestGuesser(t *testing.T) { guess.Child(t, openAt) }

// TestGuessers: four processes, a thousand wrong guesses, five compared.
func TestGuessers(t *testing.T) {
	r := servers.Redis(t)
	guess.All(t, places(r), openAt, 60*time.Millisecond, func() {
		require.NoError(t, r.Kill())
		require.NoError(t, r.Restart())
	})
}

// TestGuessersOnCluster does the same over a cluster whose servers all live.
func TestGuessersOnCluster(t *testing.T) {
	guess.ShareALimit(t, places(servers.RedisCluster(t)...)(t))
}
