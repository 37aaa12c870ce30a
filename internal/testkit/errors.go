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
	return As[*lockout.LockedError](t, err)
}

// As returns the error of a type that err is or wraps, and ends the test if there is none.
func As[E error](t testing.TB, err error) E {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("%v is no %T", err, e)
	}
	return e
}

// Unsendable ends the test unless err refuses a message of the kind by the channel, as invalid input. Without a channel there
// must be no error.
func Unsendable(t testing.TB, err error, kind civicpin.MessageKind, channel civicpin.Channel) {
	t.Helper()
	unsendable, ok := errors.AsType[*outbox.UnsendableError](err)
	switch {
	case channel == "" && err == nil:
	case !ok || !errors.Is(err, civicpin.ErrInvalid) || !errors.Is(err, unsendable.Err):
		t.Fatalf("%v does not refuse a message", err)
	case unsendable.Kind != kind || unsendable.Channel != channel:
		t.Fatalf("%v does not refuse %s by %q", err, kind, channel)
	}
}
