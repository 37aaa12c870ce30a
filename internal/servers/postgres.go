package servers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	postgresUser     = "civicpin"
	postgresDatabase = "postgres"
)

// postgresSettings are those of every server. Whatever decides what survives (fsync, synchronous_commit,
// full_page_writes) is at PostgreSQL's default, which is the safe one.
var postgresSettings = []string{
	"listen_addresses=127.0.0.1",
	"unix_socket_directories=",
	"max_connections=200",
	"shared_buffers=32MB",
	"min_wal_size=32MB",
	"wal_keep_size=64MB",
	"wal_receiver_timeout=5s",
	"wal_sender_timeout=5s",
	"wal_retrieve_retry_interval=100ms",
	"log_min_messages=warning",
}

// A Postgres is a PostgreSQL server. Its methods may be called by several goroutines.
type Postgres struct {
	tb   testing.TB
	bin  string
	as   *user.User // nil: the test's own
	dir  string
	port int

	control
}

// PostgreSQL starts the newest PostgreSQL that is installed. Its one user needs no password.
func PostgreSQL(tb testing.TB) *Postgres {
	tb.Helper()
	return PostgreSQLIn(tb, PostgreSQLBins(tb)[0])
}

// PostgreSQLIn starts the PostgreSQL whose programs are in a directory; see [PostgreSQLBins].
func PostgreSQLIn(tb testing.TB, bin string) *Postgres {
	tb.Helper()
	p := newPostgres(tb, bin)
	cmd, err := p.command(tb.Context(), "initdb", "--pgdata="+p.data(), "--username="+postgresUser, "--auth=trust", "--no-locale",
		"--encoding=UTF8", "--no-sync")
	if err == nil {
		_, err = run(cmd)
	}
	if err == nil {
		err = p.Restart()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// newPostgres returns a server that has no data yet.
func newPostgres(tb testing.TB, bin string) *Postgres {
	tb.Helper()
	needLinux(tb)
	p := &Postgres{tb: tb, bin: bin, port: FreePort(tb)}
	if os.Geteuid() == 0 {
		var err error
		if p.as, err = user.Lookup("postgres"); err != nil {
			p.as, err = user.Lookup("nobody")
		}
		if err != nil {
			missing(tb, "servers: PostgreSQL does not run as root, and there is neither a user postgres nor nobody: %v", err)
		}
	}
	p.dir = directory(tb, "postgres", p.as)
	tb.Cleanup(func() {
		if err := p.Kill(); err != nil && !errors.Is(err, errNotRunning) {
			tb.Error(err)
		}
		if tb.Failed() {
			tb.Logf("the last lines of PostgreSQL's log:\n%s", tail(p.log()))
		}
	})
	return p
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }
func (p *Postgres) log() string  { return filepath.Join(p.dir, "log") }

// command returns a command of PostgreSQL's, run by the user whom the data belongs to.
func (p *Postgres) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path := filepath.Join(p.bin, name)
	if _, err := os.Stat(path); err != nil {
		// Some distributions leave out the clients, and any version's will do.
		if other := filepath.Join(installed(debianBins), name); other != name {
			path = other
		}
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = p.dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "LC_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	return cmd, own(cmd, p.as)
}

// Addr returns the server's address, host and port. It stays the same over restarts.
func (p *Postgres) Addr() string { return address(p.port) }

// Bin returns the directory of the server's programs.
func (p *Postgres) Bin() string { return p.bin }

// DSN returns what a driver needs to connect, as a URL.
func (p *Postgres) DSN() string { return p.DSNThrough(p.Addr()) }

// DSNThrough returns what a driver needs to connect by way of another address, such as a proxy's.
func (p *Postgres) DSNThrough(addr string) string {
	return "postgres://" + postgresUser + "@" + addr + "/" + postgresDatabase + "?sslmode=disable"
}

// Restart starts a server that was killed; one that runs it ends before, without waiting for its clients. It returns when
// the server takes connections again.
func (p *Postgres) Restart() error {
	return p.again(p.begin, p.ready, p.log())
}

func (p *Postgres) begin() (*process, error) {
	args := []string{"-D", p.data(), "-p", strconv.Itoa(p.port)}
	for _, s := range postgresSettings {
		args = append(args, "-c", s)
	}
	cmd, err := p.command(context.Background(), "postgres", args...)
	if err != nil {
		return nil, err
	}
	return begin(cmd, p.log(), p.as)
}

// ready reports whether this very process of the server takes connections. It says so in its lock file, where one that was
// killed has left its own word.
func (p *Postgres) ready() bool {
	text, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 8 || strings.TrimSpace(lines[0]) != strconv.Itoa(p.process.pid()) {
		return false
	}
	state := strings.TrimSpace(lines[7])
	return state == "ready" || state == "standby"
}

// Query runs a statement by psql and returns what it prints, without headers: for tests that have no driver. The end of
// the context ends psql.
func (p *Postgres) Query(ctx context.Context, statement string) (string, error) {
	cmd, err := p.command(ctx, "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command="+statement, p.DSN())
	if err != nil {
		return "", err
	}
	return run(cmd)
}
