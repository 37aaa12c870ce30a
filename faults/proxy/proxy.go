// Package proxy stands between a client and a server of a test and makes the network between them as bad as networks get.
package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/civicpin/civicpin/internal/servers"
)

// A Fault is something that is wrong with the network.
type Fault string

const (
	// Latency delays everything, each way, by up to 100 milliseconds.
	Latency Fault = "latency"
	// Cut closes all connections and refuses new ones.
	Cut Fault = "cut"
	// HalfOpen lets connections stand, and nothing through, neither way: as when a machine is gone, or a firewall forgot.
	HalfOpen Fault = "half-open"
	// LostReplies lets through what the client sends, and nothing of what the server answers; after 200 milliseconds the
	// connection closes. What was sent was done, and nobody knows.
	LostReplies Fault = "lost replies"
	// Torn closes each connection after a few hundred bytes of the server's answers, wherever that is.
	Torn Fault = "torn"
)

// Faults are all of them.
var Faults = []Fault{Latency, Cut, HalfOpen, LostReplies, Torn}

// toxic is what the proxy calls a fault, or half of one.
type toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // as the client sees it: up to the server, down from it
	Attributes map[string]int `json:"attributes"`
}

var toxics = map[Fault][]toxic{
	Latency: {
		{"slow up", "latency", "upstream", map[string]int{"latency": 50, "jitter": 50}},
		{"slow down", "latency", "downstream", map[string]int{"latency": 50, "jitter": 50}},
	},
	HalfOpen: {
		{"deaf", "timeout", "upstream", map[string]int{"timeout": 0}},
		{"dumb", "timeout", "downstream", map[string]int{"timeout": 0}},
	},
	LostReplies: {{"dumb", "timeout", "downstream", map[string]int{"timeout": 200}}},
	Torn:        {{"torn", "limit_data", "downstream", map[string]int{"bytes": 700}}},
}

// A Proxy passes on to a server what it is sent. Its methods may be called by several goroutines.
type Proxy struct {
	mu    sync.Mutex
	proxy *toxiproxy.Proxy
	addr  string
	fault Fault // "" if all is well
}

// New starts a proxy for the server at an address, and ends it with the test.
func New(tb testing.TB, upstream string) *Proxy {
	tb.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	// A port that it gets again after a cut.
	addr := fmt.Sprintf("127.0.0.1:%d", servers.FreePort(tb))
	p := &Proxy{proxy: toxiproxy.NewProxy(server, tb.Name(), addr, upstream), addr: addr}
	if err := p.proxy.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.proxy.Stop)
	return p
}

// Addr returns the address, host and port, that stands for the server's.
func (p *Proxy) Addr() string { return p.addr }

// Break sets a fault, instead of the one that there may be.
func (p *Proxy) Break(f Fault) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.heal(); err != nil {
		return err
	}
	p.fault = f
	if f == Cut {
		p.proxy.Stop()
		return nil
	}
	if len(toxics[f]) == 0 {
		return fmt.Errorf("proxy: no fault is called %q", f)
	}
	for _, t := range toxics[f] {
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if _, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
			return err
		}
	}
	return nil
}

// Point sends what comes from now on to another server, and closes the connections to the one before.
func (p *Proxy) Point(upstream string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.heal(); err != nil {
		return err
	}
	p.proxy.Stop()
	p.proxy.Upstream = upstream
	return p.proxy.Start()
}

// Heal ends the fault, if there is one. Connections that it held up are closed.
func (p *Proxy) Heal() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heal()
}

func (p *Proxy) heal() error {
	f := p.fault
	p.fault = ""
	if f == Cut {
		return p.proxy.Start()
	}
	var errs []error
	for _, t := range toxics[f] {
		errs = append(errs, p.proxy.Toxics.RemoveToxic(context.Background(), t.Name))
	}
	return errors.Join(errs...)
}

// Chaos sets one fault after another, each for a while, with a while without any after it, until the context is done; and
// heals. It returns how many faults there were.
func (p *Proxy) Chaos(ctx context.Context, while time.Duration) (int, error) {
	wait := func() {
		select {
		case <-time.After(while):
		case <-ctx.Done():
		}
	}
	n := 0
	for ; ctx.Err() == nil; n++ {
		if err := p.Break(Faults[n%len(Faults)]); err != nil {
			return n, err
		}
		wait()
		if err := p.Heal(); err != nil {
			return n, err
		}
		wait()
	}
	return n, nil
}
