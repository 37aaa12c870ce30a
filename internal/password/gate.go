package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// defaultWait is how long a hash may have to wait. 50 people who log in at once on two cores are served within it.
	defaultWait = 2 * time.Second
	// maxPermits and maxWait are far beyond what a machine can do and what a person waits for.
	maxPermits = 1 << 12
	maxWait    = time.Minute
	// maxPlaces bounds the memory of those who wait, whatever the hashes cost.
	maxPlaces = 1 << 16
	// A hash takes firstCost until some were measured, and is never held for cheaper than leastCost.
	firstCost, leastCost = 20 * time.Millisecond, 50 * time.Microsecond
)

// ErrBusy matches every [BusyError].
var ErrBusy = errors.New("password: busy")

// A BusyError says that a hash would have to wait for too long. Nothing was done.
type BusyError struct {
	After time.Duration // those who wait now are served by then; at least a second
}

// Error says so.
func (e *BusyError) Error() string { return fmt.Sprintf("%v, try again in %v", ErrBusy, e.After) }

// Is reports whether target is [ErrBusy].
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// A Gate bounds how many hashes run at once, and how long one waits for that. Without one, each login of a crowd holds its 19
// MiB and all of them finish late. Callers ask for admission with Enter before they take an attempt from a lockout counter, so
// that being refused costs nobody a try, and then hash within Run. Callers that wait are served in order. The zero Gate refuses
// everybody; a Gate is safe for concurrent use.
type Gate struct {
	wait    time.Duration
	hashes  int64         // of an admission
	permits chan struct{} // one for each hash that runs
	places  atomic.Int64  // admissions
	runs    atomic.Int64  // Run calls under way
	total   atomic.Int64  // hashes ever run

	cost atomic.Int64 // what a hash takes, on the average of late
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

// NewGate returns a gate that lets so many hashes run at once, and others wait as long as each is served within a time, by what
// hashes took of late. An admission is held for so many hashes, at least one. Zero permits means one less than GOMAXPROCS, at
// least one: all cores hashing would leave other goroutines waiting for tens of milliseconds. Zero wait means two seconds. It
// gives an error for negative numbers, and above 4,096 permits or a minute.
func NewGate(permits int, wait time.Duration, hashes int) (*Gate, error) {
	if permits < 0 || wait < 0 || permits > maxPermits || wait > maxWait {
		return nil, fmt.Errorf("password: NewGate: %d permits and a wait of %v are out of range", permits, wait)
	}
	if permits == 0 {
		permits = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if wait == 0 {
		wait = defaultWait
	}
	g := &Gate{wait: wait, hashes: int64(max(1, hashes)), permits: make(chan struct{}, permits)}
	g.cost.Store(int64(firstCost))
	return g, nil
}

// Enter asks for admission and never waits for it. It returns a function that gives the place back, to be called
// whatever happens then (a second call does nothing); or a *[BusyError]; or ctx's error if ctx has ended.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := g.admits(g.places.Add(1)); err != nil {
		g.places.Add(-1)
		return nil, err
	}
	return sync.OnceFunc(func() { g.places.Add(-1) }), nil
}

// admits returns a *[BusyError] if the last of n would have to wait for too long.
func (g *Gate) admits(n int64) error {
	permits := int64(cap(g.permits))
	if permits == 0 {
		return &BusyError{After: time.Second}
	}
	wait := time.Duration(max(0, n-permits) * g.cost.Load() * g.hashes / permits)
	if wait <= g.wait && n <= maxPlaces {
		return nil
	}
	return &BusyError{After: max(time.Second, wait)}
}

// measure takes what a hash took into the average: an eighth of it is new. Of two at one moment one may be lost.
func (g *Gate) measure(took time.Duration) {
	cost := g.cost.Load()
	g.cost.Store(max(int64(leastCost), cost+(int64(took)-cost)/8))
}

// Run waits for a permit, calls f, and gives the permit back, also if f panics. If ctx ends first, f is not called and ctx's
// error is returned; once f is called, ctx is not looked at any more and the error is nil.
//
// It belongs between Enter and leave, one call at a time for each admission. A caller without admission cannot make
// the gate's queue longer: beyond its bound, Run returns a *[BusyError].
func (g *Gate) Run(ctx context.Context, f func()) error { return g.run(ctx, "", f) }

func (g *Gate) run(ctx context.Context, costs string, f func()) error {
	defer g.runs.Add(-1)
	n := g.runs.Add(1)
	if n > g.places.Load() { // without admission
		if err := g.admits(n); err != nil {
			return err
		}
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
	defer func(since time.Time) { g.measure(time.Since(since)) }(time.Now())
	f()
	return nil
}
