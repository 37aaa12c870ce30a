package proxy_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/proxy"
)

// echo starts a server that answers each line with the same in capitals, and tells what it was sent.
func echo(t *testing.T) (addr string, heard <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	lines := make(chan string, 1000)
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
					if _, err := io.WriteString(conn, strings.ToUpper(in.Text())+"\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), lines
}

// say sends a line and returns what comes back within a time.
func say(conn net.Conn, line string, within time.Duration) (string, error) {
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", err
	}
	answer := make([]byte, len(line)+1)
	_, err := io.ReadFull(conn, answer)
	return strings.TrimSpace(string(answer)), err
}

func TestFaults(t *testing.T) {
	addr, heard := echo(t)
	p := proxy.New(t, addr)
	dial := func() net.Conn {
		conn, err := net.Dial("tcp4", p.Addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	quiet := func() {
		select {
		case line := <-heard:
			t.Fatalf("the server heard %q", line)
		case <-time.After(100 * time.Millisecond):
		}
	}
	well := func() net.Conn {
		conn := dial()
		answer, err := say(conn, "hello", 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, "HELLO", answer)
		require.Equal(t, "hello", <-heard)
		return conn
	}
	conn := well()
	require.NoError(t, p.Heal(), "where there is nothing to heal")

	t.Run("latency", func(t *testing.T) {
		require.NoError(t, p.Break(proxy.Latency))
		start := time.Now()
		for range 5 {
			_, err := say(conn, "slow", 5*time.Second)
			require.NoError(t, err)
			<-heard
		}
		require.Greater(t, time.Since(start), 50*time.Millisecond)
		require.NoError(t, p.Heal())
		_, err := say(conn, "later", 5*time.Second)
		require.NoError(t, err, "the connection lives on")
		<-heard
	})
	heals := func() {
		quiet()
		require.NoError(t, p.Heal())
		conn = well()
	}
	t.Run("cut", func(t *testing.T) {
		require.NoError(t, p.Break(proxy.Cut))
		_, err := say(conn, "cut", 5*time.Second)
		require.Error(t, err)
		_, err = net.Dial("tcp4", p.Addr())
		require.Error(t, err)
		heals()
	})
	t.Run("half-open", func(t *testing.T) {
		require.NoError(t, p.Break(proxy.HalfOpen))
		_, err := say(conn, "void", 300*time.Millisecond)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "neither answer nor end")
		heals()
	})
	t.Run("lost replies", func(t *testing.T) {
		require.NoError(t, p.Break(proxy.LostReplies))
		_, err := say(conn, "done", 5*time.Second)
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, "done", <-heard, "it arrived")
		require.NoError(t, p.Heal())
		conn = well()
	})
	t.Run("torn", func(t *testing.T) {
		require.NoError(t, p.Break(proxy.Torn))
		_, err := say(dial(), "short", 5*time.Second)
		require.NoError(t, err)
		<-heard
		_, err = say(dial(), strings.Repeat("long", 1000), 5*time.Second)
		require.Error(t, err)
		<-heard
		require.NoError(t, p.Heal())
		well()
	})
	t.Run("another server", func(t *testing.T) {
		other, heardThere := echo(t)
		require.NoError(t, p.Break(proxy.Cut))
		require.NoError(t, p.Point(other))
		_, err := say(dial(), "there", 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, "there", <-heardThere)
		quiet()
	})
	require.Error(t, p.Break("no such fault"))
}

func TestChaos(t *testing.T) {
	addr, _ := echo(t)
	p := proxy.New(t, addr)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	n, err := p.Chaos(ctx, 20*time.Millisecond)
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, len(proxy.Faults))
	conn, err := net.Dial("tcp4", p.Addr())
	require.NoError(t, err)
	defer conn.Close()
	_, err = say(conn, "well", 5*time.Second)
	require.NoError(t, err)
}
