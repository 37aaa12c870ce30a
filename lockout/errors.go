package lockout

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrRefused matches every [RefusedError]: the guess was wrong.
	ErrRefused = errors.New("lockout: refused")
	// ErrLocked matches every [LockedError].
	ErrLocked = errors.New("lockout: locked")
	// ErrChallenge matches every [LockedError] whose Challenge is set. Nothing was compared, and the same guess is let in with a
	// challenge passed ([civicpin.Source].Challenged): ask the visitor for one.
	ErrChallenge = errors.New("lockout: pass a challenge")
	// ErrBusy matches [ErrInFlight] and [ErrOverloaded]. Nothing was compared, and no try was spent: the same guess may be let in
	// a moment later.
	ErrBusy = errors.New("lockout: busy, try again in a moment")
	// ErrInFlight says that as many guesses at the subject are being verified at this moment as may still fail. Unknown
	// subjects have it alike.
	ErrInFlight = fmt.Errorf("%w: other guesses at this subject are being checked", ErrBusy)
	// ErrOverloaded says that this process is checking as many secrets as it can. It says nothing about the subject. A [Gate]
	// does not return it; the services of this library do, as a *[BusyError], before they ask their gate.
	ErrOverloaded = fmt.Errorf("%w: this machine is checking as many secrets as it can", ErrBusy)
	// ErrTimeout says that a right guess came too late: it had already become a failure, or the known device that it came
	// from was forgotten meanwhile.
	ErrTimeout = errors.New("lockout: attempt took too long")
	// ErrNoSubject is what a verify function returns for an unknown subject, after the same work as for a known one. The guess
	// counts as wrong, and the gate forgets the count after Policy.Forget.
	ErrNoSubject = errors.New("lockout: no such subject")
	// ErrInvalidPolicy matches every error about an invalid policy.
	ErrInvalidPolicy = errors.New("lockout: invalid policy")
)

// A BusyError says when a call that this process could not serve may be made once more. Nothing was compared, and no try was
// spent: answer 503 with Retry-After. It matches [ErrOverloaded] and [ErrBusy], and says nothing about the subject.
type BusyError struct {
	// After is how long those take that wait now; at least a second.
	After time.Duration
}

// Error says so.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%v, try again in %v", ErrOverloaded, e.After.Round(time.Second))
}

// Is reports whether target is [ErrOverloaded] or [ErrBusy].
func (e *BusyError) Is(target error) bool { return target == ErrOverloaded || target == ErrBusy }

// A RefusedError says that a guess was compared and wrong. It matches [ErrRefused].
type RefusedError struct {
	// Left is how many more wrong guesses the subject, or the known device, has before the next lock; at least one. It is zero if
	// the policy does not have it shown (Policy.ShowLeft). The visitor may be told: an unknown subject counts down alike, and the
	// owner's right guesses in between do not show.
	Left int
	// NextAt is when the policy's delay lets the next guess in; zero if there is no delay.
	NextAt time.Time
}

// Error returns the same text for every guess.
func (e *RefusedError) Error() string { return ErrRefused.Error() }

// Is reports whether target is [ErrRefused].
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// A Scope says what a lock locks.
type Scope string

// The scopes of a [LockedError].
const (
	ScopeSubject Scope = "subject" // guesses at this subject
	ScopeSends   Scope = "sends"   // messages to this subject
	ScopeSource  Scope = "source"  // guesses, or messages, from this source
	ScopeGlobal  Scope = "global"  // guesses at all subjects
)

// A LockedError says that no guess was compared, or that the guess that was compared was wrong and locked. The visitor may be
// told: unknown subjects lock alike. It matches [ErrLocked], and [ErrChallenge] if its Challenge is set.
type LockedError struct {
	// Scope says what is locked.
	Scope Scope
	// Until is when the next guess is let in. It is zero if waiting does not help: look at that before you tell a duration. An
	// unlock helps then, or, if Disabled, a new binding.
	Until time.Time
	// Disabled says that the ceiling was reached: only binding the credential anew helps ([Gate.Rebind]).
	Disabled bool
	// Challenge says that the guess is let in now, without waiting until Until, if the visitor has passed a challenge
	// ([civicpin.Source].Challenged). It comes with ScopeSource and ScopeGlobal only, and says nothing about the subject.
	Challenge bool
	// New says that this call set the lock: its guess was the last that might fail. Of all calls that the lock refuses, only
	// this one has New, so the caller can send the subject one notice for each lock. Locks by an operator, rates and delays
	// are not new. If the process of the last guess died, the call that finds the lock has New. If that process dies, too, no
	// later call has New; the event lockout.locked tells of every lock.
	//
	// Unknown subjects have it alike: answer the visitor before you look up where to send a notice.
	New bool
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
	if e.Challenge {
		what += ", pass a challenge"
	}
	return fmt.Sprintf("lockout: %s, try again at %s", what, e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is [ErrLocked], or [ErrChallenge] if a challenge helps.
func (e *LockedError) Is(target error) bool {
	return target == ErrLocked || e.Challenge && target == ErrChallenge
}
