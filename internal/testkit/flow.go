package testkit

import (
	"testing"

	"github.com/civicpin/civicpin/store"
)

// A Flow is a call whose every store call may be the last one, with what is around it, K.
type Flow[K any] struct {
	Name string
	// Prepare works on a store without faults.
	Prepare func(t *testing.T, k K)
	Act     func(t *testing.T, k K) error
	// After looks at what another process finds, which has all the time that it needs. err is what Act returned.
	After func(t *testing.T, k K, err error)
}

// CrashPoints is [CrashPoints] of the flow, in a subtest. It fails if there are fewer than two calls. Open makes what is around
// the flow over a store; again returns the same in another process, later.
func (f Flow[K]) CrashPoints(
	t *testing.T, how Crashes, open func(t *testing.T, s store.Store) K, again func(t *testing.T, k K, s store.Store) K,
) {
	t.Helper()
	t.Run(f.Name, func(t *testing.T) {
		calls := CrashPoints(t, how, func(t *testing.T, c *Crash) {
			k := open(t, c.Store())
			f.Prepare(t, k)
			err := c.During(t, func() error { return f.Act(t, k) })
			f.After(t, again(t, k, c.Memory), err)
		})
		if calls < 2 {
			t.Errorf("testkit: only %d store calls", calls)
		}
	})
}
