package attempt

import (
	"errors"

	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
)

// A Refusal is why a guess was refused, as the Reason of the event says it. The words are stable. They are for the log: most of
// them tell whether a subject is known.
type Refusal string

// What a comparison found.
const (
	Wrong      Refusal = "wrong"
	Unknown    Refusal = "unknown"    // the subject, or what the guess names, or the subject has nothing of the kind
	Spent      Refusal = "spent"      // a right one-time code that was used before, or one older than that
	Cancelled  Refusal = "cancelled"  // a code that was withdrawn, or pushed out by later ones
	Exhausted  Refusal = "exhausted"  // a code whose own tries were used up
	Suspended  Refusal = "suspended"  // the credential
	Revoked    Refusal = "revoked"    // the credential
	Vacant     Refusal = "vacant"     // a credential whose first secret was not chosen yet
	Unreadable Refusal = "unreadable" // the stored hash: the record is damaged, or a later release wrote it
	Factor     Refusal = "factor"     // a factor of the caller's own, which recoveries ask, refused
)

// What else refuses a guess.
const (
	Expired   Refusal = "expired"     // the guess was right, and too late: no failure was counted
	Unused    Refusal = "unused"      // the guess was right, and what came after it failed, or a lock was set meanwhile
	Locked    Refusal = "locked"      // nothing was compared
	Busy      Refusal = "busy"        // nothing was compared: other guesses at the subject were in flight
	Unchecked Refusal = "not checked" // it is not known whether it was right: the store failed, or the caller hung up
)

// refusal returns why a guess was refused of which f was found.
func (f Finding) refusal(err error) Refusal {
	if f.right && !errors.Is(err, token.ErrExpired) {
		return Unused
	}
	return Reason(err, f.why)
}

// Reason returns why a guess was refused. found is what the comparison found to be wrong, empty if nothing was compared or the
// guess was right. It counts only where the error says that something was compared: after a store's error the guess may have
// been right.
func Reason(err error, found Refusal) Refusal {
	_, locked := errors.AsType[*lockout.LockedError](err)
	expired := errors.Is(err, token.ErrExpired)
	switch {
	case found == Expired || found != "" && (locked || expired || errors.Is(err, lockout.ErrRefused)):
		return found
	case locked:
		return Locked
	case errors.Is(err, lockout.ErrBusy):
		return Busy
	case expired:
		return Expired
	}
	return Unchecked
}
