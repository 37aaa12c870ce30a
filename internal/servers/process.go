package servers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// patience is how long a server may take to come up or to end.
const patience = 30 * time.Second

// A process is a running server: the one that was started, and those that it started itself.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // what it ended with
}

// begin starts a server, with what it prints added to a file.
func begin(cmd *exec.Cmd, log string, as *user.User) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // the server has its own by then
	cmd.Stdout, cmd.Stderr = out, out
	if err := own(cmd, as); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// ended reports whether the server has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// until waits until ok returns true, and fails if the process ends first.
func (p *process) until(ok func() bool) error {
	for start := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if p.ended() {
			return fmt.Errorf("servers: %s ended: %v", filepath.Base(p.cmd.Path), p.err)
		}
		if time.Since(start) > patience {
			return fmt.Errorf("servers: %s is not ready after %v", filepath.Base(p.cmd.Path), patience)
		}
	}
	return nil
}

// wait waits for the server's end.
func (p *process) wait() error {
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("servers: %s did not end within %v", filepath.Base(p.cmd.Path), patience)
	}
}

// errNotRunning is what signals to a server give that was killed.
var errNotRunning = errors.New("servers: it is not running")

// directory returns a new directory that belongs to a user, or to the test's own if that is nil, and removes it at the
// end. A test's own TempDir would be closed to that user.
func directory(tb testing.TB, name string, as *user.User) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "civicpin-"+name+"-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if err := give(dir, as); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func give(path string, as *user.User) error {
	if as == nil {
		return nil
	}
	uid, gid, err := ids(as)
	if err != nil {
		return err
	}
	return os.Chown(path, uid, gid)
}

func ids(as *user.User) (uid, gid int, err error) {
	uid, err = strconv.Atoi(as.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(as.Gid)
	return uid, gid, err
}

// tail returns the last lines of a log, for the report of a test that failed.
func tail(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	const lines = 30
	all := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}
