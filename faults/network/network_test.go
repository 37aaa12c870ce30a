package network_test

import (
	"bufio"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/network"
)

// echo serves lines back, and tells what arrived.
func echo(t *testing.T) (address string, arrived <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	lines := make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for in := bufio.NewScanner(conn); in.Scan(); {
					lines <- in.Text()
					_, _ = conn.Write(append(in.Bytes(), '\n'))
				}
			}()
		}
	}()
	return l.Addr().String(), lines
}

func TestLink(t *testing.T) {
	address, arrived := echo(t)
	l := network.Start(t, address)
	// ask sends a line over a connection and returns whether it came back within a while.
	ask := func(conn net.Conn) bool {
		_, _ = conn.Write([]byte("hello\n"))
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return line == "hello\n"
	}
	got := func() bool {
		select {
		case <-arrived:
			return true
		case <-time.After(300 * time.Millisecond):
			return false
		}
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Address())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	good := func() net.Conn {
		conn := dial()
		require.True(t, ask(conn))
		require.True(t, got())
		return conn
	}
	for range 3 {
		conn := good()
		l.LoseReplies()
		require.False(t, ask(conn))
		require.True(t, got())
		l.Heal()

		conn = good()
		l.Silence()
		require.False(t, ask(conn))
		require.False(t, got())
		l.Heal()

		conn = good()
		l.Slow(60*time.Millisecond, 10*time.Millisecond)
		start := time.Now()
		require.True(t, ask(conn))
		require.True(t, got())
		require.Greater(t, time.Since(start), 90*time.Millisecond)
		l.Heal()

		conn = good()
		l.Cut()
		require.False(t, ask(conn))
		_, err := net.Dial("tcp", l.Address())
		require.Error(t, err)
		l.Heal()
		good()
	}
}
