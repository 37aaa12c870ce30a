package natscluster

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// variable makes a binary that calls Main run as a server; it holds the path of a configuration.
const variable = "CIVICPIN_TEST_NATS_SERVER"

// Main is what a program that starts clusters calls first, a test binary in its TestMain: it runs the server if this process is
// to be one, and does not return then.
func Main() {
	path := os.Getenv(variable)
	if path == "" {
		return
	}
	// A terminal interrupts all of its processes; this one ends when whoever started it says so.
	signal.Ignore(os.Interrupt)
	opts, err := server.ProcessConfigFile(path)
	if err == nil {
		opts.NoSigs = true // the test decides
		var s *server.Server
		if s, err = server.NewServer(opts); err == nil {
			s.ConfigureLogger()
			s.Start()
			fmt.Println("started")
			_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends, or asks it to
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A Server is one process. Its methods are for one goroutine at a time.
type Server struct {
	Name      string
	URL       string // without a user
	Address   string // host and port for clients
	tb        testing.TB
	config    string
	log       string
	mu        sync.Mutex
	cmd       *exec.Cmd
	in        io.Closer
	suspended bool
}

func (s *Server) ready() error {
	nc, err := nats.Connect(s.URL, nats.UserInfo(User, Password), nats.Timeout(time.Second))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = js.AccountInfo(ctx)
	return err
}

// Start starts the process and waits until it has begun to serve.
func (s *Server) Start() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variable+"="+s.config)
	cmd.Stderr = os.Stderr
	endWithParent(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		s.tb.Error(err)
		return
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.tb.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		s.tb.Error(err)
		return
	}
	s.cmd, s.in = cmd, in
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "started\n" {
		s.tb.Errorf("%s does not start: %q, %v", s.Name, line, err)
	}
}

// Running reports whether the process is there and not frozen.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd != nil && !s.suspended
}

// Kill ends the process as kill -9 does.
func (s *Server) Kill() { s.end(func() { _ = s.cmd.Process.Kill() }) }

// Stop lets the process end by itself, as an operator would.
func (s *Server) Stop() { s.end(func() { _ = s.in.Close() }) }

func (s *Server) end(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	how()
	_ = s.cmd.Wait()
	s.cmd, s.suspended = nil, false
}

// Freeze stops the process where it is, and Thaw lets it go on.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP, true) }

// Thaw undoes Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT, false) }

func (s *Server) signal(sig syscall.Signal, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(sig)
		s.suspended = suspended
	}
}

// Log returns what the server wrote down.
func (s *Server) Log() string {
	data, _ := os.ReadFile(s.log)
	return string(data)
}
