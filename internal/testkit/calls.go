package testkit

import (
	"fmt"
	"strings"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// Calls does something and returns the store calls that it made, each as the method and the kind of record: what whoever
// watches the database from afar, or measures, could tell of a person.
func Calls(faults *storetest.Faults, do func()) []string {
	var calls []string
	_ = duringCalls(faults, func(call string) error {
		calls = append(calls, call)
		return nil
	}, func() error { do(); return nil })
	return calls
}

// duringCalls does act and has seen called before each store call, whose error is the call's.
func duringCalls(faults *storetest.Faults, seen func(call string) error, act func() error) error {
	faults.Hook(func(method, key string) error {
		kind, _, _ := strings.Cut(key, "/")
		return seen(method + " " + kind)
	})
	defer faults.Hook(nil)
	return act()
}

// A failed is a call that failed, and what the act returned that made it.
type failed struct {
	call string
	err  error
}

// inTurn does an act once for each of its calls, each time over a store of its own, in which that call fails with nothing done.
// The act asks fail before each call: see duringCalls.
func inTurn(act func(f *storetest.Faults, fail func(call string) error) error) (all []failed) {
	for {
		left, failing := len(all)+1, ""
		err := act(storetest.NewFaults(store.NewMemory()), func(call string) error {
			if left--; left != 0 {
				return nil
			}
			failing = call
			return fmt.Errorf("%w: %s", storetest.ErrInjected, call)
		})
		if failing == "" {
			return all
		}
		all = append(all, failed{failing, err})
	}
}
