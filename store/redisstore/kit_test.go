package redisstore_test

import (
	"bytes"
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
	lost atomic.Int32

	mu    sync.Mutex
	word  []byte // the next command that has this in it loses its answer, and its connection
	conns []net.Conn
}

// lose makes the next command with a word in it lose its answer.
func (p *proxy) lose(word string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.word = []byte(word)
}

// doomed reports whether what a client sends is to lose its answer, once.
func (p *proxy) doomed(sent []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.word == nil || !bytes.Contains(sent, p.word) {
		return false
	}
	p.word = nil
	return true
}

func (p *proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
}

// newProxy returns a proxy to a server, which ends with the test.
func newProxy(tb testing.TB, to string) *proxy {
	tb.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &proxy{addr: l.Addr().String()}
	var wg sync.WaitGroup
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
			p.keep(in, out)
			var doomed atomic.Bool
			wg.Go(func() {
				defer func() { _ = out.Close() }()
				pass(out, in, func(b []byte) bool {
					if p.doomed(b) {
						doomed.Store(true)
					}
					return true
				})
			})
			wg.Go(func() {
				defer func() { _ = in.Close() }()
				pass(in, out, func([]byte) bool {
					if doomed.Load() {
						p.lost.Add(1)
						return false
					}
					return true
				})
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		wg.Wait()
	})
	return p
}

// pass copies as long as look agrees.
func pass(to io.Writer, from io.Reader, look func([]byte) bool) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil || !look(b[:n]) {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
