package guard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
)

// EventUnrecorded says that the recorder did not take events before this one.
const EventUnrecorded civicpin.EventCode = "store.unrecorded"

const (
	// RecordTime is how long a call of a recorder is waited for.
	RecordTime = 15 * time.Second
	// LeastTime is how long one is waited for even if the caller's deadline is over, so that events mostly keep their order.
	LeastTime = 50 * time.Millisecond
)

// A Recorder passes events on to another recorder, and returns on time whatever that one does. It is safe for concurrent use.
// Make one with [NewRecorder].
type Recorder struct {
	to civicpin.Recorder

	mu     sync.Mutex
	behind int // calls that were left at a deadline of their caller
	stuck  int // calls that outlived RecordTime
	lost   int // events that were not taken, and of which the recorder was not told yet
}

// NewRecorder returns a recorder that passes events on to another one.
func NewRecorder(to civicpin.Recorder) *Recorder { return &Recorder{to: to} }

// Record passes an event on, or leaves it to what [Hold] returned. It waits for the other recorder, but not beyond the deadline
// of ctx, nor beyond RecordTime. The other recorder has RecordTime even if the visitor has gone. An event is lost if the
// recorder panics over it, or if MaxStuck calls hang; the next event that is taken is preceded by one that says how many.
func (r *Recorder) Record(ctx context.Context, e civicpin.Event) {
	if h, ok := ctx.Value(holdKey{}).(*hold); ok && h.keep(r, ctx, e) {
		return
	}
	r.pass(ctx, ctx, e)
}

// pass passes an event on, with the values of ctx, and waits no longer than until the deadline of caller.
func (r *Recorder) pass(caller, ctx context.Context, e civicpin.Event) {
	lost, ok := r.begin()
	if !ok {
		return
	}
	c := &recording{of: r, done: make(chan struct{}), late: make(chan struct{})}
	timer := time.AfterFunc(RecordTime, c.outlived)
	go func() {
		defer timer.Stop()
		defer c.returned()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), RecordTime)
		defer cancel()
		if lost > 0 {
			r.tell(ctx, civicpin.Event{At: e.At, Code: EventUnrecorded, Reason: fmt.Sprintf("lost: %d", lost)}, lost)
		}
		r.tell(ctx, e, 1)
	}()
	c.wait(caller)
}

// begin returns how many events were lost, for the recorder to be told. It returns false, and the event is lost, if too many
// calls hang.
func (r *Recorder) begin() (lost int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stuck >= MaxStuck {
		r.lost++
		return 0, false
	}
	lost, r.lost = r.lost, 0
	return lost, true
}

// tell calls the other recorder. If it does not return, so many events are lost.
func (r *Recorder) tell(ctx context.Context, e civicpin.Event, events int) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lost += events
	}()
	_ = Call(func() error {
		r.to.Record(ctx, e)
		events = 0
		return nil
	})
}

// recording is one call of the recorder. done is closed when it returned, late when its time is over.
type recording struct {
	of                  *Recorder
	done, late          chan struct{}
	over, behind, stuck bool // under the lock of the recorder
}

func (c *recording) returned() {
	defer close(c.done)
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.over = true
	if c.behind {
		c.of.behind--
	}
	if c.stuck {
		c.of.stuck--
	}
}

func (c *recording) outlived() {
	defer close(c.late)
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.over {
		return
	}
	if c.behind {
		c.of.behind--
		c.behind = false
	}
	c.of.stuck++
	c.stuck = true
}

// wait waits for a call. At the deadline of the caller the call goes on by itself, unless too many do: a caller that sets
// short deadlines must not make the recorder hold any number of calls.
func (c *recording) wait(caller context.Context) {
	var deadline <-chan time.Time
	if at, ok := caller.Deadline(); ok {
		t := time.NewTimer(max(LeastTime, time.Until(at)))
		defer t.Stop()
		deadline = t.C
	}
	select {
	case <-c.done:
		return
	case <-c.late:
		return
	case <-deadline:
	}
	if c.leave() {
		return
	}
	select {
	case <-c.done:
	case <-c.late:
	}
}

// leave reports whether a call may go on by itself.
func (c *recording) leave() bool {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if !c.over && !c.stuck {
		if c.of.behind >= MaxStuck {
			return false
		}
		c.of.behind++
		c.behind = true
	}
	return true
}

type holdKey struct{}

// hold keeps events until what their caller holds is given back.
type hold struct {
	mu   sync.Mutex
	kept []func(caller context.Context)
	over bool
}

// Hold returns a context under which events are kept, and a function that passes them on, in order: to be called when the
// caller has given back what others wait for, such as a place in front of the hashing or the claim of a message. A recorder
// that is slow does not hold those up. Within a Hold another one changes nothing. A second call of release does nothing.
func Hold(ctx context.Context) (_ context.Context, release func()) {
	if h, ok := ctx.Value(holdKey{}).(*hold); ok && h.open() {
		return ctx, func() {}
	}
	h := new(hold)
	return context.WithValue(ctx, holdKey{}, h), func() {
		for _, pass := range h.end() {
			pass(ctx)
		}
	}
}

func (h *hold) open() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.over
}

// keep reports whether the event is kept.
func (h *hold) keep(r *Recorder, ctx context.Context, e civicpin.Event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.kept = append(h.kept, func(caller context.Context) { r.pass(caller, ctx, e) })
	}
	return !h.over
}

func (h *hold) end() []func(context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.kept
	h.kept, h.over = nil, true
	return kept
}
