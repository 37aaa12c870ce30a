// Package remote has a process of its own carry out the calls of a store, so that the process can be killed in the middle
// of them.
//
// A test package calls [Serve] from a test of its own named TestRemote, which is what the processes run.
package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/store"
)

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
	tb    testing.TB
	where string

	mu      sync.Mutex
	process *process // nil if there is none, or it was killed
	starts  int
}

var _ store.Store = (*Store)(nil)

// process is one life of the process.
type process struct {
	*processes.Process

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer // nil once it has ended
}

// New returns a store that is where that says, to the function that the process gives to [Serve]. The process is killed when
// the test ends.
func New(tb testing.TB, where string) *Store { return &Store{tb: tb, where: where} }

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
	return p.Signal(os.Kill)
}

// Signal sends a signal to the process, if there is one.
func (s *Store) Signal(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		_ = s.process.Process.Signal(sig) // it may have ended by itself
	}
}

func (s *Store) running() (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return s.process, nil
	}
	child, err := processes.Launch(s.tb, "TestRemote", s.where)
	if err != nil {
		return nil, err
	}
	p := &process{Process: child, waiting: make(map[int]chan answer)}
	go p.read()
	s.process = p
	s.starts++
	return p, nil
}

// read hands out the answers until the process ends.
func (p *process) read() {
	for {
		line, err := p.Next()
		if err != nil {
			break // it was killed
		}
		var a answer
		if json.Unmarshal([]byte(line), &a) != nil {
			break
		}
		p.mu.Lock()
		c := p.waiting[a.ID]
		delete(p.waiting, a.ID)
		p.mu.Unlock()
		if c != nil {
			c <- a
		}
	}
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
		err = p.Tell(string(line))
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

// Serve carries out calls if this is a process that was started for that, until it is killed, and otherwise skips the test.
func Serve(t *testing.T, open func(ctx context.Context, where string) (store.Store, error)) {
	processes.Serve(t, func(ctx context.Context, c *processes.Child, where string) error {
		s, err := open(ctx, where)
		if err != nil {
			return err
		}
		for {
			var next call
			if err := json.Unmarshal([]byte(c.Hear()), &next); err != nil {
				return err
			}
			go func() {
				line, _ := json.Marshal(carryOut(ctx, s, next)) // plain data
				c.Say(string(line))
			}()
		}
	})
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
