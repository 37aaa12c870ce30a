// Package remote has a process of its own carry out the calls of a store, so that the process can be killed in the middle
// of them.
//
// A test package calls [Serve] from a test of its own named TestRemote, which is what the processes run.
package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/civicpin/civicpin/store"
)

// variable tells a process where its store is.
const variable = "CIVICPIN_TEST_REMOTE"

// ErrKilled says that the process ended before it answered: the call may have been carried out.
var ErrKilled = errors.New("remote: the process was killed")

// A call goes to the process, and an answer comes back, each as a line of JSON.
type call struct {
	ID     int
	Verb   string
	Key    string
	Record store.Record
}

type answer struct {
	ID       int
	Record   store.Record
	Version  store.Version
	NotFound bool
	Conflict bool
	Error    string
}

// A Store is a store in another process, which is started when it is needed. Its methods may be called by several
// goroutines. Contexts end the wait for an answer, not what the process does.
type Store struct {
	where string

	mu      sync.Mutex
	process *process // nil if there is none, or it was killed
	starts  int
}

var _ store.Store = (*Store)(nil)

// process is one life of the process.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer // nil once it has ended
}

// New returns a store that is where that says, to the function that the process gives to [Serve].
func New(where string) *Store { return &Store{where: where} }

// Starts returns how often the process was started.
func (s *Store) Starts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts
}

// Kill kills the process, if there is one. The next call starts another.
func (s *Store) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.process
	s.process = nil
	if p == nil {
		return nil
	}
	return p.cmd.Process.Kill()
}

// Signal sends a signal to the process, if there is one.
func (s *Store) Signal(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		_ = s.process.cmd.Process.Signal(sig) // it may have ended by itself
	}
}

// Close kills the process.
func (s *Store) Close() error { return s.Kill() }

func (s *Store) running() (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return s.process, nil
	}
	p := &process{cmd: exec.Command(os.Args[0], "-test.run=^TestRemote$"), waiting: make(map[int]chan answer)}
	p.cmd.Env = append(os.Environ(), variable+"="+s.where)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(out)
	s.process = p
	s.starts++
	return p, nil
}

// read hands out the answers until the process ends.
func (p *process) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var a answer
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			break // it was killed in the middle of a line
		}
		p.mu.Lock()
		c := p.waiting[a.ID]
		delete(p.waiting, a.ID)
		p.mu.Unlock()
		if c != nil {
			c <- a
		}
	}
	_ = p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.waiting {
		close(c)
	}
	p.waiting = nil
}

func (s *Store) do(ctx context.Context, c call) (answer, error) {
	p, err := s.running()
	if err != nil {
		return answer{}, err
	}
	reply := make(chan answer, 1)
	p.mu.Lock()
	if p.waiting == nil {
		p.mu.Unlock()
		return answer{}, ErrKilled
	}
	p.next++
	c.ID = p.next
	line, err := json.Marshal(c)
	if err == nil {
		p.waiting[c.ID] = reply
		_, err = p.in.Write(append(line, '\n'))
	}
	p.mu.Unlock()
	if err != nil {
		return answer{}, err
	}
	select {
	case a, ok := <-reply:
		switch {
		case !ok:
			return answer{}, ErrKilled
		case a.NotFound:
			return a, store.ErrNotFound
		case a.Conflict:
			return a, store.ErrConflict
		case a.Error != "":
			return a, errors.New(a.Error)
		}
		return a, nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	a, err := s.do(ctx, call{Verb: "get", Key: key})
	return a.Record, err
}

// Put implements [store.Store].
func (s *Store) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	a, err := s.do(ctx, call{Verb: "put", Key: key, Record: r})
	return a.Version, err
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string, v store.Version) error {
	_, err := s.do(ctx, call{Verb: "delete", Key: key, Record: store.Record{Version: v}})
	return err
}

// Serve carries out calls if this is a process that was started for that, until nobody is left to call, and otherwise
// skips the test.
func Serve(t *testing.T, open func(ctx context.Context, where string) (store.Store, error)) {
	where := os.Getenv(variable)
	if where == "" {
		t.Skip("runs in processes of its own only")
	}
	s, err := open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			line, err := json.Marshal(carryOut(t.Context(), s, c))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			fmt.Printf("%s\n", line)
		})
	}
	wg.Wait()
}

func carryOut(ctx context.Context, s store.Store, c call) answer {
	a := answer{ID: c.ID}
	var err error
	switch c.Verb {
	case "get":
		a.Record, err = s.Get(ctx, c.Key)
	case "put":
		a.Version, err = s.Put(ctx, c.Key, c.Record)
	case "delete":
		err = s.Delete(ctx, c.Key, c.Record.Version)
	default:
		err = fmt.Errorf("remote: no verb %q", c.Verb)
	}
	a.NotFound, a.Conflict = errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict)
	if err != nil {
		a.Error = err.Error()
	}
	return a
}
