// Package storetest tests implementations of [store.Store] and injects faults into them.
//
// [Run] is the conformance suite. Its subtests bear the sentences of the contract, as the comments of [store.Store] and
// [store.Lister] have them, so that a failure names the rule that is broken:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return open(t) })
//	}
//
// [RunDurable] also opens the same data twice and closes and reopens it. [Faults] makes a store fail where a test wants it
// to, for tests of what stands on the store.
//
// The suite does not need an empty store: its keys are random, most after a leading "storetest-". It leaves its records
// behind. No fault is injected while it runs, so any error that the contract does not name fails it. Run it with the
// race detector on.
package storetest

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/civicpin/civicpin/store"
)

// Run tests a store against every rule of [store.Store], and of [store.Lister] if it is one. open is called once for
// each subtest with that subtest's t; it may return a new store each time, or one that is shared.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	run(t, false, func(t *testing.T) func() store.Store {
		return func() store.Store { return open(t) }
	})
}

// RunDurable does what [Run] does, and also tests that what one handle writes is seen through another, and that nothing is
// lost when the store is closed and opened again. open returns a new handle on the data that dir stands for: the same for
// the same dir. An engine that keeps its data elsewhere may ignore dir. A store that is an [io.Closer] is closed by the
// suite, at the latest when the subtest ends.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) store.Store) {
	run(t, true, func(t *testing.T) func() store.Store {
		dir := t.TempDir()
		return func() store.Store {
			s := open(t, dir)
			t.Cleanup(func() { _ = closeStore(s) }) // perhaps a second time, so its error tells nothing
			return s
		}
	})
}

func run(t *testing.T, durable bool, openIn func(t *testing.T) func() store.Store) {
	for _, r := range rules() {
		t.Run(r.sentence, func(t *testing.T) {
			for _, c := range r.checks {
				if c.durable && !durable {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					f := &fixture{tb: t, open: openIn(t), patience: time.Minute}
					f.store = f.open()
					if f.store == nil {
						t.Fatal("open returned no store")
					}
					if _, ok := f.store.(store.Lister); c.lister && !ok {
						t.Skip("not a store.Lister")
					}
					c.run(f)
				})
			}
		})
	}
}

// tb is what a check needs of *testing.T. The suite's own tests run the checks on broken stores with another one.
type tb interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// closeStore closes a store that can be closed.
func closeStore(s store.Store) error {
	if c, ok := s.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
