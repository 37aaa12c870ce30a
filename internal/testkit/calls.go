package testkit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

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

// An asker is a world with something in it that is no store and may fail: it asks fail before each call, with a name for it.
type asker interface {
	Ask(fail func(call string) error)
}

// Swallowed makes each call of the store that an act makes fail in turn, with nothing done, each time in a world of its own,
// and returns the calls whose failure the act did not return, each as the method and the kind of record: "Put code.sms". If the
// world is an asker, each call of what else the act asks fails, too. Beside such a failure, the act must return no result. An
// act that goes on without a call must end as it does if nothing fails.
func Swallowed[W any](
	t *testing.T, open func(*testing.T, store.Store) W, act func(context.Context, W) (result any, err error),
) (swallowed []string) {
	t.Helper()
	_, usual := act(t.Context(), open(t, store.NewMemory()))
	all := inTurn(func(f *storetest.Faults, fail func(string) error) error {
		w := open(t, f.Store())
		if a, ok := any(w).(asker); ok {
			a.Ask(fail)
		}
		return duringCalls(f, fail, func() error {
			result, err := act(t.Context(), w)
			if err != nil && result != nil && !reflect.ValueOf(result).IsZero() {
				t.Errorf("result %+v beside the error %v", result, err)
			}
			return err
		})
	})
	if len(all) == 0 {
		t.Fatal("testkit: no call that could fail")
	}
	for n, one := range all {
		switch {
		case errors.Is(one.err, storetest.ErrInjected):
			continue
		case (one.err == nil) != (usual == nil):
			t.Errorf("call %d, %s, failed, and the act returned: %v", n+1, one.call, one.err)
		}
		swallowed = append(swallowed, one.call)
	}
	return swallowed
}
