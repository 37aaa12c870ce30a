package testkit

import (
	"strings"

	"github.com/civicpin/civicpin/store/storetest"
)

// Calls does something and returns the store calls that it made, each as the method and the kind of record: what whoever
// watches the database from afar, or measures, could tell of a person.
func Calls(faults *storetest.Faults, do func()) []string {
	var calls []string
	faults.Hook(func(method, key string) error {
		kind, _, _ := strings.Cut(key, "/")
		calls = append(calls, method+" "+kind)
		return nil
	})
	defer faults.Hook(nil)
	do()
	return calls
}
