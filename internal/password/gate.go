package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// defaultQueue is how many may wait. With the default parameters and one permit, the last of 16 waits for half a second.
	defaultQueue = 16
	// maxPermits and maxQueue are far beyond what a machine can do, and keep their sum from overflowing.
	maxPermits = 1 << 12
	maxQueue   = 1 << 16
)

// ErrBusy says that as many hashes are running and waiting as the gate lets in. Nothing was done: try again in a moment.
var ErrBusy = errors.New("password: busy")

// A Gate bounds how many hashes run at once, and how many wait for that. Without one, each login of a crowd holds its 19 MiB
// and all of them finish late. Callers ask for admission with Enter before they take an attempt from a lockout counter, so
// that being refused costs nobody a try, and then hash within Run. Callers that wait are served in order. The zero Gate refuses
// everybody; a Gate is safe for concurrent use.
type Gate struct {
	places  chan struct{} // one for each admission
	permits chan struct{} // one for each hash that runs
	runs    atomic.Int64  // Run calls under way
	total   atomic.Int64  // hashes ever run
}

// Total returns how many hashes the gate has run.
func (g *Gate) Total() int64 { return g.total.Load() }

// eachKey is the key of what [WithEach] puts into a context.
type eachKey struct{}

// WithEach returns a context with which each hash is told of, with its own context, before it is run; and with its costs, if a
// secret is checked against it. It is for tests that compare the work of two calls.
func WithEach(ctx context.Context, each func(ctx context.Context, costs string)) context.Context {
	return context.WithValue(ctx, eachKey{}, each)
}

// NewGate returns a gate that lets so many hashes run at once, and so many more wait. Zero permits means one less than
// GOMAXPROCS, at least one: all cores hashing would leave other goroutines waiting for tens of milliseconds. Zero queue
// means 16. It gives an error for negative numbers, and above 4,096 permits or 65,536 waiting.
func NewGate(permits, queue int) (*Gate, error) {
	if permits < 0 || queue < 0 || permits > maxPermits || queue > maxQueue {
		return nil, fmt.Errorf("password: NewGate: %d permits and a queue of %d are out of range", permits, queue)
	}
	if permits == 0 {
		permits = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if queue == 0 {
		queue = defaultQueue
	}
	return &Gate{places: make(chan struct{}, permits+queue), permits: make(chan struct{}, permits)}, nil
}

// Enter asks for admission and never waits for it. It returns a function that gives the place back, to be called
// whatever happens then (a second call does nothing); or ErrBusy; or ctx's error if ctx has ended.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case g.places <- struct{}{}:
		return sync.OnceFunc(func() { <-g.places }), nil
	default:
		return nil, ErrBusy
	}
}

// Run waits for a permit, calls f, and gives the permit back, also if f panics. If ctx ends first, f is not called and ctx's
// error is returned; once f is called, ctx is not looked at any more and the error is nil.
//
// It belongs between Enter and leave, one call at a time for each admission. A caller without admission cannot make
// the gate's queue longer: beyond its bound, Run returns ErrBusy.
func (g *Gate) Run(ctx context.Context, f func()) error { return g.run(ctx, "", f) }

func (g *Gate) run(ctx context.Context, costs string, f func()) error {
	defer g.runs.Add(-1)
	if g.runs.Add(1) > int64(cap(g.places)) {
		return ErrBusy
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case g.permits <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-g.permits }()
	// Both may have come at once: no hash for a caller who has gone.
	if err := ctx.Err(); err != nil {
		return err
	}
	g.total.Add(1)
	if each, ok := ctx.Value(eachKey{}).(func(context.Context, string)); ok {
		each(ctx, costs)
	}
	f()
	return nil
}
