package testkit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// Failing does an act once for each of its store calls, each time over a store of its own in which that call fails with nothing
// done, and requires that the act returns the fault. prepare makes what the act needs over a store, and returns the act.
//
// despite names the store calls without which the act goes on, each as the method and the kind of record: "Put pin.inps". The
// act then returns an error if it returns one without a fault, too. A call that is named in vain is a failure.
func Failing(t *testing.T, prepare func(t *testing.T, s store.Store) (act func() error), despite ...string) {
	t.Helper()
	_, usual := failing(t, prepare, 0)
	passed := make(map[string]bool)
	for n := 1; ; n++ {
		call, err := failing(t, prepare, n)
		switch {
		case call == "" && n == 1:
			t.Error("testkit: the act makes no store call")
		case call == "":
		case errors.Is(err, storetest.ErrInjected):
			continue
		case slices.Contains(despite, call) && (err == nil) == (usual == nil):
			passed[call] = true
			continue
		default:
			t.Errorf("store call %d, %s, failed, and the act returned: %v", n, call, err)
			continue
		}
		break
	}
	for _, call := range despite {
		if !passed[call] {
			t.Errorf("testkit: %s did not fail without a word", call)
		}
	}
}

// failing does the act with a fault at its n-th store call, and returns that call, "" if there is none.
func failing(t *testing.T, prepare func(*testing.T, store.Store) func() error, n int) (call string, err error) {
	t.Helper()
	f := storetest.NewFaults(store.NewMemory())
	act := prepare(t, f.Store())
	f.Hook(func(method, key string) error {
		if n--; n != 0 {
			return nil
		}
		kind, _, _ := strings.Cut(key, "/")
		call = method + " " + kind
		return fmt.Errorf("%w: %s", storetest.ErrInjected, call)
	})
	err = act()
	return call, err
}
