// Package natscluster starts clusters of real NATS servers for tests, each server a process of its own that can be killed,
// frozen and started again, and tests the NATS store against them.
//
// The servers come from the nats-server module and run in processes of the program itself, see [Main], so nothing has to be
// installed. That module is why these tests are here and not beside the store: a test's requirements stand in the go.mod of
// its module, and who uses the store should not find a server in theirs.
package natscluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/internal/servers"
)

// System is the user of the system account, and Password its password and everybody's.
const (
	System   = "system"
	User     = "citizen"
	Password = "only-on-127.0.0.1"
)

// Options say how a cluster is started; the zero Options are right for most tests.
type Options struct {
	// SyncInterval is the servers' sync_interval; empty means "always".
	SyncInterval string
	// Routes, if it is not nil, returns the address at which server "from" finds the route port of server "to": a proxy's.
	Routes func(from, to int, address string) string
}

// A Cluster is some servers.
type Cluster struct {
	tb      testing.TB
	Servers []*Server
}

// Start starts n servers, 1 of which is no cluster, and waits until they are ready to keep records. They end with the test.
func Start(tb testing.TB, n int, opts Options) *Cluster {
	tb.Helper()
	servers.SkipShort(tb)
	if opts.SyncInterval == "" {
		opts.SyncInterval = "always"
	}
	dir := tb.TempDir()
	var ports []int // first the clients', then the routes'
	for len(ports) < 2*n {
		if port := servers.FreePort(tb); !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	c := &Cluster{tb: tb}
	for i := range n {
		name := fmt.Sprint("server-", i)
		s := &Server{
			tb: tb, Name: name, Address: fmt.Sprint("127.0.0.1:", ports[i]), URL: fmt.Sprint("nats://127.0.0.1:", ports[i]),
			config: filepath.Join(dir, name+".conf"), log: filepath.Join(dir, name+".log"),
		}
		var b strings.Builder
		fmt.Fprintf(&b, "server_name: %s\nlisten: %q\nlogfile: %q\n", name, s.Address, s.log)
		fmt.Fprintf(&b, "jetstream { store_dir: %q, sync_interval: %s, max_mem: 64MB, max_file: 8GB }\n", filepath.Join(dir, name), opts.SyncInterval)
		fmt.Fprintf(&b, "accounts { SYS { users: [{user: %q, password: %q}] }, APP { jetstream: enabled, users: [{user: %q, password: %q}] } }\n",
			System, Password, User, Password)
		fmt.Fprintf(&b, "system_account: SYS\n")
		if n > 1 {
			var routes []string
			for j := range n {
				address := fmt.Sprint("127.0.0.1:", ports[n+j])
				if opts.Routes != nil && j != i {
					address = opts.Routes(i, j, address)
				}
				routes = append(routes, fmt.Sprintf("%q", "nats://"+address))
			}
			// Servers tell each other where others are, and would then go there past the proxies: so they tell what leads
			// nowhere.
			nowhere := ""
			if opts.Routes != nil {
				nowhere = "advertise: \"127.0.0.1:1\", "
			}
			fmt.Fprintf(&b, "cluster { name: test, listen: \"127.0.0.1:%d\", %spool_size: 1, no_advertise: true, routes: [%s] }\n",
				ports[n+i], nowhere, strings.Join(routes, ", "))
		}
		if err := os.WriteFile(s.config, []byte(b.String()), 0o600); err != nil {
			tb.Fatal(err)
		}
		c.Servers = append(c.Servers, s)
	}
	tb.Cleanup(func() {
		for _, s := range c.Servers {
			s.Kill()
			if tb.Failed() && os.Getenv("CIVICPIN_NATS_LOGS") != "" {
				data, _ := os.ReadFile(s.log)
				tb.Logf("%s:\n%s", s.Name, data)
			}
		}
	})
	for _, s := range c.Servers {
		s.Start()
	}
	c.WaitReady()
	return c
}

// URLs returns the servers' addresses as a client takes them.
func (c *Cluster) URLs() string {
	var urls []string
	for _, s := range c.Servers {
		urls = append(urls, s.URL)
	}
	return strings.Join(urls, ",")
}

// Connect returns a connection of the user, to the given servers or else to all of them, which is closed with the test.
// It connects anew for as long as it takes.
func (c *Cluster) Connect(tb testing.TB, servers ...*Server) *nats.Conn {
	tb.Helper()
	urls := c.URLs()
	if len(servers) > 0 {
		urls = (&Cluster{Servers: servers}).URLs()
	}
	return Connect(tb, urls)
}

// Connect is Cluster.Connect by addresses.
func Connect(tb testing.TB, urls string) *nats.Conn {
	tb.Helper()
	nc, err := Dial(urls)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	return nc
}

// Dial connects as User, and goes on connecting anew for as long as it takes.
func Dial(urls string) (*nats.Conn, error) {
	return nats.Connect(urls, nats.UserInfo(User, Password), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
		nats.ReconnectJitter(20*time.Millisecond, 20*time.Millisecond), nats.DontRandomize(), nats.Timeout(time.Second),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
}

// ConnectSystem returns a connection of the system account.
func (c *Cluster) ConnectSystem(tb testing.TB) *nats.Conn {
	tb.Helper()
	nc, err := nats.Connect(c.URLs(), nats.UserInfo(System, Password))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	return nc
}

// JetStream returns what the store takes.
func JetStream(tb testing.TB, nc *nats.Conn) jetstream.JetStream {
	tb.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	return js
}

// WaitReady waits until every server answers for the cluster.
func (c *Cluster) WaitReady() {
	c.tb.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for _, s := range c.Servers {
		for {
			err := s.ready()
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				c.tb.Errorf("%s is not ready: %v", s.Name, err)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// Leader returns the server that leads a stream, nil if there is none that the asked servers know.
func (c *Cluster) Leader(js jetstream.JetStream, stream string) *Server {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	st, err := js.Stream(ctx, stream)
	if err != nil || st.CachedInfo().Cluster == nil {
		return nil
	}
	for _, s := range c.Servers {
		if s.Name == st.CachedInfo().Cluster.Leader {
			return s
		}
	}
	return nil
}

// MetaLeader returns the server that leads the cluster itself, nil if it is not known. The connection is of the system
// account.
func (c *Cluster) MetaLeader(sys *nats.Conn) *Server {
	m, err := sys.Request("$SYS.REQ.SERVER.PING.JSZ", nil, time.Second)
	if err != nil {
		return nil
	}
	var answer struct {
		Data struct {
			Meta struct {
				Leader string `json:"leader"`
			} `json:"meta_cluster"`
		} `json:"data"`
	}
	if json.Unmarshal(m.Data, &answer) != nil {
		return nil
	}
	for _, s := range c.Servers {
		if s.Name == answer.Data.Meta.Leader {
			return s
		}
	}
	return nil
}

// Hand asks the leader of a stream to hand over to a server.
func Hand(nc *nats.Conn, stream string, to *Server) {
	req := fmt.Sprintf(`{"placement": {"preferred": %q}}`, to.Name)
	_, _ = nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, []byte(req), time.Second) // who leads then, is for the caller to see
}
