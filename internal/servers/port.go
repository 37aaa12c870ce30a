package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
)

// Ports are drawn from below those that the kernel hands out: a client that calls a dead server again and again would
// some day be given the server's own port to call from, connect to itself, and keep the server from coming back.
//
// Of these, each process has a share of its own, and hands out a port once: what listens on it may end and come back.
const (
	lowestPort  = 10_240
	highestPort = 32_768
	shares      = 64
)

// handed are the ports that this process gave away.
var handed struct {
	sync.Mutex
	ports map[int]bool
}

// FreePort returns a port of 127.0.0.1 that nothing listens on, and that no outgoing connection and no other caller will take.
func FreePort(tb testing.TB) int {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

func freePort() (int, error) {
	below := highestPort
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		var first int
		if _, err := fmt.Sscan(string(text), &first); err == nil && first > lowestPort+1000 {
			below = min(below, first)
		}
	}
	share := (below - lowestPort) / shares
	lowest := lowestPort + os.Getpid()%shares*share
	handed.Lock()
	defer handed.Unlock()
	if len(handed.ports) == 0 || len(handed.ports) > share/2 { // what the first ones were for has ended long since
		handed.ports = make(map[int]bool)
	}
	for range 1000 {
		port := lowest + rand.IntN(share)
		if handed.ports[port] {
			continue
		}
		l, err := net.Listen("tcp4", address(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		handed.ports[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("servers: no free port from %d to %d", lowest, lowest+share)
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
