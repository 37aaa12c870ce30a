package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// The whole test of a store of one's own.
func ExampleRun() {
	test := func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return store.NewMemory() })
	}
	_ = test // in a program of one's own: func TestStore(t *testing.T)
}

// A flow is run to every point at which its process can die, once with the last write done and once without. Whatever
// is left behind then, running the flow again has to bring to a good end.
func ExampleFaults() {
	ctx := context.Background()
	// flow moves what is under "from" to "to".
	flow := func(s store.Store) error {
		r, err := s.Get(ctx, "from")
		if errors.Is(err, store.ErrNotFound) {
			return nil // moved before
		}
		if err != nil {
			return err
		}
		if _, err := s.Put(ctx, "to", store.Record{Value: r.Value}); err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
		return s.Delete(ctx, "from", r.Version)
	}
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
		for k := 1; ; k++ {
			faults := storetest.NewFaults(store.NewMemory())
			s := faults.Store()
			_, _ = s.Put(ctx, "from", store.Record{Value: []byte("treasure")})
			faults.Reset()

			faults.StopAt(k, outcome)
			died := flow(s)
			if faults.Calls() < k {
				fmt.Println("points of death:", k-1)
				break
			}
			faults.Reset() // the process starts anew
			again := flow(s)
			r, err := s.Get(ctx, "to")
			fmt.Println(errors.Is(died, storetest.ErrInjected), again, string(r.Value), err)
		}
	}
	// Output:
	// true <nil> treasure <nil>
	// true <nil> treasure <nil>
	// true <nil> treasure <nil>
	// points of death: 3
	// true <nil> treasure <nil>
	// true <nil> treasure <nil>
	// true <nil> treasure <nil>
	// points of death: 3
}
