package testkit

import (
	"errors"
	"testing"

	"github.com/civicpin/civicpin/lockout"
)

// Until is a policy that locks after so many failures, until an operator unlocks.
func Until(limit int) lockout.Policy {
	return lockout.Policy{Limit: limit, Lock: lockout.UntilUnlocked}
}

// LockedBy returns the lock that an error tells of, and ends the test if there is none.
func LockedBy(t testing.TB, err error) *lockout.LockedError {
	t.Helper()
	locked, ok := errors.AsType[*lockout.LockedError](err)
	if !ok {
		t.Fatalf("%v is no lock", err)
	}
	return locked
}
