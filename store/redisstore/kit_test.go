package redisstore_test

import (
	"crypto/rand"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store/redisstore"
)

// dial returns a client of one server.
func dial(tb testing.TB, addr string) *redis.Client {
	tb.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, DisableIdentity: true})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// dialCluster returns a client of a cluster.
func dialCluster(tb testing.TB, nodes []*servers.RedisServer) *redis.ClusterClient {
	tb.Helper()
	var addrs []string
	for _, n := range nodes {
		addrs = append(addrs, n.Addr())
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true, DisableIdentity: true})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// open returns a store under a prefix of its own, or under the given one.
func open(tb testing.TB, c redis.UniversalClient, prefix string) *redisstore.Store {
	tb.Helper()
	if prefix == "" {
		prefix = "test-" + rand.Text()
	}
	s, err := redisstore.New(tb.Context(), c, &redisstore.Options{Prefix: prefix})
	require.NoError(tb, err)
	return s
}

// A proxy stands between a client and a server, and can lose what the server answers.
type proxy struct {
	addr string
	lose atomic.Bool // the next answer, and the connection with it
	lost atomic.Int32
}

// newProxy returns a proxy to a server, which ends with the test.
func newProxy(tb testing.TB, to string) *proxy {
	tb.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &proxy{addr: l.Addr().String()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.DialTimeout("tcp4", to, 5*time.Second)
			if err != nil {
				_ = in.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, in, out)
			mu.Unlock()
			wg.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
			wg.Go(func() {
				defer func() { _ = in.Close() }()
				b := make([]byte, 64<<10)
				for {
					n, err := out.Read(b)
					if err != nil {
						return
					}
					if p.lose.CompareAndSwap(true, false) {
						p.lost.Add(1)
						return
					}
					if _, err := in.Write(b[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return p
}
