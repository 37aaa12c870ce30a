// Package network puts a bad network between a client and a server, or between two servers: slow, cut, silent in both
// directions or in one. It is a thin layer over toxiproxy.
package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A Link forwards connections to a server. Its methods are for one goroutine at a time.
type Link struct {
	tb     testing.TB
	proxy  *toxiproxy.Proxy
	toxics []string
	cut    bool
}

// Start returns a link to the server at an address, which need not listen yet. It ends with the test.
func Start(tb testing.TB, server string) *Link {
	tb.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &Link{tb: tb, proxy: toxiproxy.NewProxy(api, server, "127.0.0.1:0", server)}
	if err := l.proxy.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.proxy.Stop)
	return l
}

// Address is where the link listens, host and port.
func (l *Link) Address() string { return l.proxy.Listen }

// Slow delays what goes either way by a time, and up to jitter more or less.
func (l *Link) Slow(by, jitter time.Duration) {
	l.tb.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		l.toxic("latency", stream, map[string]int64{"latency": by.Milliseconds(), "jitter": jitter.Milliseconds()})
	}
}

// Silence lets connections stand and drops what goes either way: neither side learns that the other is away.
func (l *Link) Silence() {
	l.tb.Helper()
	l.LoseReplies()
	l.toxic("timeout", "upstream", map[string]int64{"timeout": 0})
}

// LoseReplies drops what the server sends. What the client sends arrives.
func (l *Link) LoseReplies() {
	l.tb.Helper()
	l.toxic("timeout", "downstream", map[string]int64{"timeout": 0})
}

// Cut breaks all connections and refuses new ones.
func (l *Link) Cut() {
	if !l.cut {
		l.proxy.Stop()
		l.cut = true
	}
}

// Heal undoes everything. Connections that were silent or lost something are broken, for what they carried has a hole.
func (l *Link) Heal() {
	l.tb.Helper()
	if len(l.toxics) > 0 {
		l.Cut()
	}
	for _, name := range l.toxics {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := l.proxy.Toxics.RemoveToxic(ctx, name); err != nil {
			l.tb.Error(err)
		}
		cancel()
	}
	l.toxics = nil
	if l.cut {
		if err := l.proxy.Start(); err != nil {
			l.tb.Error(err)
		}
		l.cut = false
	}
}

func (l *Link) toxic(kind, stream string, attributes map[string]int64) {
	l.tb.Helper()
	name := kind + " " + stream
	data, err := json.Marshal(map[string]any{
		"name": name, "type": kind, "stream": stream, "toxicity": 1, "attributes": attributes,
	})
	if err == nil {
		_, err = l.proxy.Toxics.AddToxicJson(bytes.NewReader(data))
	}
	if err != nil {
		l.tb.Error(fmt.Errorf("network: %s: %w", name, err))
		return
	}
	l.toxics = append(l.toxics, name)
}
