package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
)

// Ports are drawn from below those that the kernel hands out: a client that calls a dead server again and again would
// some day be given the server's own port to call from, connect to itself, and keep the server from coming back.
const (
	lowestPort  = 10_240
	highestPort = 32_768
)

// FreePort returns a port of 127.0.0.1 that nothing listens on, and that no outgoing connection will take.
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
	for range 100 {
		port := lowestPort + rand.IntN(below-lowestPort)
		l, err := net.Listen("tcp4", address(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		return port, nil
	}
	return 0, fmt.Errorf("servers: no free port from %d to %d", lowestPort, below)
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
