package servers

import (
	"strconv"
	"testing"
)

// Installed is PostgreSQLBins, with another place to look at than Debian's.
func Installed(tb testing.TB, pattern string) []string { return postgresBins(tb, pattern) }

// PID returns the id of the server's first process.
func (p *Postgres) PID() int { return p.process.pid() }

// PID returns the id of the server's process.
func (r *RedisServer) PID() int { return r.process.pid() }

// Alive reports whether a process lives.
func Alive(pid string) bool {
	n, err := strconv.Atoi(pid)
	if err != nil {
		return false
	}
	_, alive := parent(n)
	return alive
}
