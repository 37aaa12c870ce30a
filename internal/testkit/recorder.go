package testkit

import (
	"context"
	"slices"
	"sync"

	"github.com/civicpin/civicpin"
)

// A Recorder keeps the events that it is told. It is safe for concurrent use.
type Recorder struct {
	mu  sync.Mutex
	got []civicpin.Event
}

// Record implements [civicpin.Recorder].
func (r *Recorder) Record(_ context.Context, e civicpin.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, e)
}

// All returns the events, oldest first.
func (r *Recorder) All() []civicpin.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// Of returns the events of a code, oldest first.
func (r *Recorder) Of(code civicpin.EventCode) []civicpin.Event {
	return slices.DeleteFunc(r.All(), func(e civicpin.Event) bool { return e.Code != code })
}

// Take returns the events since the last Take, and forgets them.
func (r *Recorder) Take() []civicpin.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}
