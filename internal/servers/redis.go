package servers

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A RedisServer is a Redis server, perhaps one of a cluster. It writes every command to its disk before it answers
// (appendonly yes, appendfsync always). Its methods may be called by several goroutines.
type RedisServer struct {
	dir  string
	port int
	args []string

	control
}

// Redis starts a Redis server. Further settings are written as on its command line: "--maxmemory", "10mb".
func Redis(tb testing.TB, settings ...string) *RedisServer {
	tb.Helper()
	needLinux(tb)
	program(tb, "redis-server")
	program(tb, "redis-cli")
	SkipShort(tb)
	r := &RedisServer{dir: directory(tb, "redis", nil), port: FreePort(tb)}
	r.args = append([]string{
		"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", r.dir, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "always", "--save", "",
	}, settings...)
	tb.Cleanup(func() {
		if err := r.Kill(); err != nil && !errors.Is(err, errNotRunning) {
			tb.Error(err)
		}
		if tb.Failed() {
			tb.Logf("the last lines of Redis's log:\n%s", tail(r.log()))
		}
	})
	if err := r.Restart(); err != nil {
		tb.Fatal(err)
	}
	return r
}

func (r *RedisServer) log() string { return filepath.Join(r.dir, "log") }

// Addr returns the server's address, host and port. It stays the same over restarts.
func (r *RedisServer) Addr() string { return address(r.port) }

// Restart starts a server that was killed, from what it had on its disk; one that runs it ends before. It returns when the
// server answers again.
func (r *RedisServer) Restart() error {
	return r.again(func() (*process, error) {
		cmd := exec.Command("redis-server", r.args...)
		cmd.Dir = r.dir
		return begin(cmd, r.log(), nil)
	}, r.answers, r.log())
}

// answers reports whether the server answers: while it reads its file, it refuses.
func (r *RedisServer) answers() bool {
	conn, err := net.DialTimeout("tcp4", r.Addr(), time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // the answer tells
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	return err == nil && string(answer[:n]) == "+PONG\r\n"
}

// Do runs a command by redis-cli and returns what that prints: for tests that have no driver. The end of the context ends
// it.
func (r *RedisServer) Do(ctx context.Context, args ...string) (string, error) {
	args = append([]string{"-e", "-h", "127.0.0.1", "-p", strconv.Itoa(r.port)}, args...)
	out, err := run(exec.CommandContext(ctx, "redis-cli", args...))
	return strings.ReplaceAll(out, "\r", ""), err
}
