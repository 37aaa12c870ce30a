package lockout

import (
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin/internal/quota"
)

var (
	// ErrRefused is matched by the error for a wrong guess; see [RefusedError].
	ErrRefused = errors.New("lockout: refused")
	// ErrBusy says that as many guesses on the subject are being verified at this moment as may still fail. Nothing was
	// compared, or counted against the subject; the honest thing to tell the visitor is to try again in a moment.
	ErrBusy = errors.New("lockout: another attempt is being checked")
	// ErrTimeout says that a verification succeeded too late: its attempt had already become a failure, or the known
	// device that it came from was forgotten meanwhile.
	ErrTimeout = errors.New("lockout: attempt took too long")
	// ErrNoSubject is returned by a verify function for a subject that does not exist, after the same work as for one that
	// does. It counts like a wrong guess, and lets the gate forget the count after Policy.Forget.
	ErrNoSubject = errors.New("lockout: no such subject")
	// ErrPolicy is matched by every error about a policy that cannot be.
	ErrPolicy = errors.New("lockout: invalid policy")
)

// A RefusedError says that a guess was compared and wrong. It matches [ErrRefused].
type RefusedError struct {
	// Left is how many more wrong guesses the subject, or the known device, has before the next lock; at least one. It may be
	// told: a subject that does not exist counts down alike.
	Left int
	// Next is when the policy's delay lets the next guess in; zero if there is no delay.
	Next time.Time
}

// Error returns the same text for every guess.
func (e *RefusedError) Error() string { return ErrRefused.Error() }

// Is reports whether target is [ErrRefused].
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// A Scope says what a lock locks.
type Scope string

// The scopes of a [LockedError].
const (
	ScopeSubject Scope = "subject" // this subject's guesses
	ScopeSends   Scope = "sends"   // messages to this subject
	ScopeSource  Scope = "source"  // those from this source address
	ScopeGlobal  Scope = "global"  // all guesses
)

// A LockedError says that no guess was compared, or that the one that was compared was wrong and locked. It may be told to
// the visitor: a subject that does not exist locks alike.
type LockedError struct {
	Scope Scope
	// Until is when the next guess is let in; zero if that takes an unlock or a new binding.
	Until time.Time
	// Disabled says that the ceiling was reached: only binding the credential anew helps.
	Disabled bool
}

// Error says what is locked and how that ends.
func (e *LockedError) Error() string {
	switch {
	case e.Scope == ScopeSends:
		return fmt.Sprintf("lockout: no more messages until %s", e.Until.UTC().Format(time.RFC3339))
	case e.Disabled:
		return "lockout: disabled until bound anew"
	case e.Until.IsZero():
		return "lockout: locked until unlocked"
	}
	return fmt.Sprintf("lockout: locked until %s", e.Until.UTC().Format(time.RFC3339))
}

// full returns the error of a quota as the gate's.
func full(scope Scope, err error) error {
	if f, ok := errors.AsType[*quota.FullError](err); ok {
		return &LockedError{Scope: scope, Until: f.Until}
	}
	return err
}
