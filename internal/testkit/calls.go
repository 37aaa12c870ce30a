package testkit

import (
	"strings"

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
