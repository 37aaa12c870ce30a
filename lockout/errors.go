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
	// ErrLocked is matched by every [LockedError].
	ErrLocked = errors.New("lockout: locked")
	// ErrBusy is matched by [ErrInFlight] and [ErrOverloaded]. Nothing was compared, and no try was spent: the same guess may
	// be let in a moment later.
	ErrBusy = errors.New("lockout: busy, try again in a moment")
	// ErrInFlight says that as many guesses at the subject are being verified at this moment as may still fail.
	ErrInFlight = fmt.Errorf("%w: other guesses at this subject are being checked", ErrBusy)
	// ErrOverloaded says that this process is checking as many secrets as it can. It says nothing about the subject. The
	// services of this library return it, which hash secrets; a gate does not.
	ErrOverloaded = fmt.Errorf("%w: this machine is checking as many secrets as it can", ErrBusy)
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
// the visitor: a subject that does not exist locks alike. It matches [ErrLocked].
type LockedError struct {
	Scope Scope
	// New says that this call set the lock: its guess was the last that might fail. Of all calls that a lock refuses, only the
	// first one has it, so that a caller can send the subject one notice for each lock. It is not set for a lock by an
	// operator, a rate or a delay. A lock that is found later, because the process of the last guess died, is new to the call
	// that finds it. If that call's own process dies, no later call has New: for a record of all locks, see [EventLocked].
	//
	// Subjects that do not exist have it alike, so look up where to send a notice after the visitor was answered.
	New bool
	// Until is when the next guess is let in; zero if that takes an unlock or a new binding.
	Until time.Time
	// Disabled says that the ceiling was reached: only binding the credential anew helps.
	Disabled bool
}

// Error says what is locked and how that ends.
func (e *LockedError) Error() string {
	switch {
	case e.Disabled:
		return "lockout: disabled until the subject's identity is proved again and a new secret is bound"
	case e.Until.IsZero():
		return "lockout: locked until it is unlocked; waiting does not end it"
	}
	what := "locked"
	switch e.Scope {
	case ScopeSends:
		what = "too many messages to this subject"
	case ScopeSource:
		what = "too many requests from this source"
	case ScopeGlobal:
		what = "too many wrong guesses at all subjects"
	}
	return fmt.Sprintf("lockout: %s, try again at %s", what, e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is [ErrLocked].
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// full returns the error of a quota as the gate's.
func full(scope Scope, err error) error {
	if f, ok := errors.AsType[*quota.FullError](err); ok {
		return &LockedError{Scope: scope, Until: f.Until}
	}
	return err
}
