package testkit

import (
	"errors"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store/outbox"
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

// Unsendable returns the error about a message that cannot be sent, which is invalid input, and ends the test if there is none.
func Unsendable(t testing.TB, err error) *outbox.UnsendableError {
	t.Helper()
	unsendable, ok := errors.AsType[*outbox.UnsendableError](err)
	if !ok || !errors.Is(err, civicpin.ErrInvalid) {
		t.Fatalf("%v does not refuse a message", err)
	}
	return unsendable
}
