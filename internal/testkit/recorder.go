package testkit

import (
	"context"
	"slices"
	"strconv"
	"strings"
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

// Lines returns all events as lines of code, subject, actor, address, ref, level and reason. A ref is written as the number of
// its first appearance.
func (r *Recorder) Lines() []string {
	var refs, lines []string
	for _, e := range r.All() {
		ref := ""
		if e.Ref != "" {
			if !slices.Contains(refs, e.Ref) {
				refs = append(refs, e.Ref)
			}
			ref = "#" + strconv.Itoa(slices.Index(refs, e.Ref)+1)
		}
		lines = append(lines, strings.Join([]string{
			string(e.Code), string(e.Subject), string(e.By), e.Source.Address, ref, e.Level.String(), e.Reason,
		}, "|"))
	}
	return lines
}
