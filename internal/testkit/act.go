package testkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// Fails does the act once for each of its store calls, each time over a store of its own in which that call fails with nothing
// done, and requires that the act returns the fault. If the call is one of Despite, the act must return an error only if it
// does so without a fault. A call of Despite that does not occur is a failure.
func (a Act[K]) Fails(t *testing.T, open func(t *testing.T, s store.Store) K) {
	t.Helper()
	_, usual := a.failing(t, open, 0)
	passed := make(map[string]bool)
	for n := 1; ; n++ {
		call, err := a.failing(t, open, n)
		switch {
		case call == "" && n == 1:
			t.Error("testkit: the act makes no store call")
		case call == "":
			for _, call := range a.Despite {
				if !passed[call] {
					t.Errorf("testkit: the act did not go on without %s", call)
				}
			}
			return
		case errors.Is(err, storetest.ErrInjected):
		case slices.Contains(a.Despite, call) && (err == nil) == (usual == nil):
			passed[call] = true
		default:
			t.Errorf("store call %d, %s, failed, and the act returned: %v", n, call, err)
		}
	}
}

// failing does the act with a fault at its n-th store call, and returns that call, "" if there is none.
func (a Act[K]) failing(t *testing.T, open func(*testing.T, store.Store) K, n int) (call string, err error) {
	t.Helper()
	f := storetest.NewFaults(store.NewMemory())
	k := open(t, f.Store())
	a.Prepare(t, k)
	f.Hook(func(method, key string) error {
		if n--; n != 0 {
			return nil
		}
		kind, _, _ := strings.Cut(key, "/")
		call = method + " " + kind
		return fmt.Errorf("%w: %s", storetest.ErrInjected, call)
	})
	err = a.Do(t.Context(), k)
	return call, err
}
