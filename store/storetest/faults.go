package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/civicpin/civicpin/store"
)

// The names of the methods of [store.Store] and [store.Lister], as faults count them.
const (
	Get    = "Get"
	Put    = "Put"
	Delete = "Delete"
	List   = "List"
)

// ErrInjected is matched by the error of every call that a [Faults] made fail.
var ErrInjected = errors.New("storetest: injected fault")

// An Outcome is how a call fails. In every case the caller gets an error that matches [ErrInjected].
type Outcome int

const (
	// NotDone is a failure before the store was reached.
	NotDone Outcome = iota + 1
	// ReplyLost is a failure after it: the store has done what it was asked, with whatever result. A List yields its
	// first item and then breaks off.
	ReplyLost
	// DoneLater is a failure now and a write to come: it is done at the next [Faults.Deliver], if its condition still
	// holds then. For Get and List it is NotDone.
	DoneLater
)

// Faults stands between a store and its user and makes calls fail where a test wants it to. Give [Faults.Store] to what is
// under test. To try a flow's every way to crash, count its calls once, and then run it with [Faults.StopAt] at each.
// Its methods are safe for concurrent use.
type Faults struct {
	inner store.Store

	mu      sync.Mutex
	calls   map[string]int
	plans   []*plan
	stopped bool
	hook    func(method, key string) error
	later   []func(context.Context)
}

// A plan makes the k-th call from now fail.
type plan struct {
	k       int
	outcome Outcome
	stop    bool
	methods []string // all if empty
}

// NewFaults returns a Faults around inner, which at first lets every call pass.
func NewFaults(inner store.Store) *Faults {
	return &Faults{inner: inner, calls: make(map[string]int)}
}

// Store returns the store with the faults. It is a [store.Lister] if the inner store is one.
func (f *Faults) Store() store.Store {
	if l, ok := f.inner.(store.Lister); ok {
		return faultyLister{faulty{f}, l}
	}
	return faulty{f}
}

// FailAt makes one call fail: the k-th from now (1 is the next) of the named methods, or of all methods if none is named. It
// may be used several times; each counts for itself.
func (f *Faults) FailAt(k int, o Outcome, methods ...string) {
	f.plan(&plan{k: k, outcome: o, methods: methods})
}

// StopAt lets the process "die" at the k-th call from now (1 is the next) of the named methods, or of all methods if none
// is named: that call fails as told, and after it every call fails with nothing done, a running List included, until
// [Faults.Reset].
func (f *Faults) StopAt(k int, o Outcome, methods ...string) {
	f.plan(&plan{k: k, outcome: o, methods: methods, stop: true})
}

func (f *Faults) plan(p *plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.methods = slices.Clone(p.methods)
	f.plans = append(f.plans, p)
}

// Hook has h called before each call, with the method's name and the key (for List the prefix). It may wait, to hold the
// call up while something else happens, and it may use the inner store. An error from it is the call's, and the store
// is not reached. Nil takes the hook away.
func (f *Faults) Hook(h func(method, key string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = h
}

// Calls returns how many calls there were of the named methods, or of all if none is named, since the beginning or the
// last Reset. Failed ones count. A List counts when its loop begins.
func (f *Faults) Calls(methods ...string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for method, calls := range f.calls {
		if len(methods) == 0 || slices.Contains(methods, method) {
			n += calls
		}
	}
	return n
}

// Deliver does the writes that are to be done later, in their order, and returns how many there were.
func (f *Faults) Deliver(ctx context.Context) int {
	f.mu.Lock()
	later := f.later
	f.later = nil
	f.mu.Unlock()
	for _, do := range later {
		do(ctx)
	}
	return len(later)
}

// Reset forgets all faults, the hook, the counts, and the writes to be done later: the process has been started anew. What
// the inner store holds stays.
func (f *Faults) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.plans, f.stopped, f.hook, f.later = make(map[string]int), nil, false, nil, nil
}

// call does what is common to all calls: it counts, asks the hook, and runs do unless it is not to be done. do is given
// a context of its own, since it may run later.
func (f *Faults) call(ctx context.Context, method, key string, do func(context.Context)) error {
	f.mu.Lock()
	f.calls[method]++
	outcome := f.next(method)
	hook := f.hook
	f.mu.Unlock()
	if hook != nil {
		if err := hook(method, key); err != nil {
			return err
		}
	}
	switch {
	case outcome == 0:
		do(ctx)
		return nil
	case outcome == ReplyLost:
		do(ctx)
	case outcome == DoneLater && (method == Put || method == Delete):
		f.mu.Lock()
		f.later = append(f.later, do)
		f.mu.Unlock()
	}
	return injected(method)
}

// next counts a call down on every plan and returns how it ends, zero for well. f.mu is held.
func (f *Faults) next(method string) (o Outcome) {
	if f.stopped {
		return NotDone
	}
	f.plans = slices.DeleteFunc(f.plans, func(p *plan) bool {
		if len(p.methods) > 0 && !slices.Contains(p.methods, method) {
			return false
		}
		p.k--
		if p.k != 0 {
			return p.k < 0
		}
		o = p.outcome
		f.stopped = f.stopped || p.stop
		return true
	})
	return o
}

func (f *Faults) dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped
}

func injected(method string) error { return fmt.Errorf("%w: %s", ErrInjected, method) }

// faulty is what Faults.Store returns.
type faulty struct{ f *Faults }

func (s faulty) Get(ctx context.Context, key string) (r store.Record, err error) {
	if failed := s.f.call(ctx, Get, key, func(ctx context.Context) { r, err = s.f.inner.Get(ctx, key) }); failed != nil {
		return store.Record{}, failed
	}
	return r, err
}

func (s faulty) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	r.Value = slices.Clone(r.Value) // the write may be done when the caller has the slice back
	var v store.Version
	var err error
	if failed := s.f.call(ctx, Put, key, func(ctx context.Context) { v, err = s.f.inner.Put(ctx, key, r) }); failed != nil {
		return 0, failed
	}
	return v, err
}

func (s faulty) Delete(ctx context.Context, key string, v store.Version) (err error) {
	if failed := s.f.call(ctx, Delete, key, func(ctx context.Context) { err = s.f.inner.Delete(ctx, key, v) }); failed != nil {
		return failed
	}
	return err
}

// faultyLister is a faulty store around one that can list.
type faultyLister struct {
	faulty
	inner store.Lister
}

func (s faultyLister) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		reached := false
		failed := s.f.call(ctx, List, prefix, func(context.Context) { reached = true })
		if failed != nil && !reached {
			yield(store.Item{}, failed)
			return
		}
		for item, err := range s.inner.List(ctx, prefix, after) {
			if failed == nil && s.f.dead() {
				failed = injected(List)
				yield(store.Item{}, failed)
				return
			}
			if !yield(item, err) || err != nil {
				return
			}
			if failed != nil {
				break
			}
		}
		if failed != nil {
			yield(store.Item{}, failed)
		}
	}
}
