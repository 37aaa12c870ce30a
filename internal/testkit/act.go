package testkit

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// An Act is a call of a service, with what is around it, K.
type Act[K any] struct {
	Name    string
	Prepare func(t *testing.T, k K)
	Do      func(ctx context.Context, k K) error
	// Lines are all that it records: see [Recorder.Lines].
	Lines []string
	// Despite names the store calls without which it goes on, each as the method and the kind of record: "Put pin.inps".
	Despite []string
}

// Check does the act once over a store without faults, and holds what it records against Lines. Then it does the act once for
// each of its store calls, each time over a store of its own in which that call fails with nothing done, and requires that the
// act returns the fault. If the call is one of Despite, the act must return an error only if it does so without a fault. A call
// of Despite that does not occur is a failure. Open makes what is around the act over a store, with its recorder.
func (a Act[K]) Check(t *testing.T, open func(t *testing.T, s store.Store) (K, *Recorder)) {
	t.Helper()
	k, events := open(t, store.NewMemory())
	a.Prepare(t, k)
	before := len(events.All())
	usual := a.Do(t.Context(), k)
	if got, want := strings.Join(events.Lines()[before:], "\n"), strings.Join(a.Lines, "\n"); got != want {
		t.Errorf("the act records\n%s\nand not\n%s", got, want)
	}
	despite := make(map[string]bool)
	for _, call := range a.Despite {
		despite[call] = true
	}
	passed := make(map[string]bool)
	all := inTurn(func(f *storetest.Faults, fail func(string) error) error {
		k, _ := open(t, f.Store())
		a.Prepare(t, k)
		return duringCalls(f, fail, func() error { return a.Do(t.Context(), k) })
	})
	for n, one := range all {
		switch {
		case errors.Is(one.err, storetest.ErrInjected):
		case despite[one.call] && (one.err == nil) == (usual == nil):
			passed[one.call] = true
		default:
			t.Errorf("store call %d, %s, failed, and the act returned: %v", n+1, one.call, one.err)
		}
	}
	if len(all) == 0 || len(passed) != len(despite) {
		t.Errorf("testkit: the act makes %d store calls, and goes on without %v", len(all), passed)
	}
}
