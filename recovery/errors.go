package recovery

import (
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

var (
	// ErrRefused answers wrong answers, and all answers about a subject who is unknown or cannot be recovered by this plan. It is
	// [lockout.ErrRefused]; errors.As to a *[lockout.RefusedError] tells how many tries are left.
	ErrRefused = lockout.ErrRefused
	// ErrBusy is [lockout.ErrBusy]: too much is being checked, for this subject or altogether. No try was spent: answer 503.
	// [lockout.ErrInFlight] and [lockout.ErrOverloaded] tell the two apart.
	ErrBusy = lockout.ErrBusy
	// ErrGone says that a ticket or token leads nowhere: it is unknown, was used or cancelled, or another act upon the credential
	// ended its recovery. Begin again. It is contact.ErrGone, too.
	ErrGone = token.ErrGone
	// ErrExpired says that a right ticket or token came too late. Only its holder is told. Begin again.
	ErrExpired = token.ErrExpired
	// ErrWrongStep says that an answer is missing, or is not what Run.Next asks. Nothing changed, and no try was spent.
	ErrWrongStep = recoveryrun.ErrWrongStep
	// ErrWaiting says that a waiting window has not ended; Run.Next says when it does.
	ErrWaiting = errors.New("recovery: a waiting window has not ended")
	// ErrInvalidPlan matches every error about an invalid plan or configuration. It is [plan.ErrInvalid].
	ErrInvalidPlan = plan.ErrInvalid
	// ErrNotAllowed matches every [OperatorError].
	ErrNotAllowed = errors.New("recovery: not for this operator, or not now")
)

// An OperatorReason is why an operator may not do an act.
type OperatorReason string

// The reasons of an [OperatorError].
const (
	WrongRole  OperatorReason = "role"        // the act needs another role, or there is no such role
	Closed     OperatorReason = "hours"       // the role's office is closed
	OverLimit  OperatorReason = "limit"       // the operator did as many acts in this hour as the role allows
	SamePerson OperatorReason = "same person" // the operator approved the case before, and another one must
	Swapped    OperatorReason = "document"    // an upload is gone, changed or not clean any more: end the run
)

// An OperatorError says why an operator may not do an act. It matches [ErrNotAllowed].
type OperatorError struct {
	Reason OperatorReason // why not
	// Until is when the office opens, or the next act is let in; zero if that is not the reason.
	Until time.Time
}

// Error says why.
func (e *OperatorError) Error() string {
	if e.Until.IsZero() {
		return fmt.Sprintf("%v: %s", ErrNotAllowed, e.Reason)
	}
	return fmt.Sprintf("%v: %s, until %s", ErrNotAllowed, e.Reason, e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is [ErrNotAllowed].
func (e *OperatorError) Is(target error) bool { return target == ErrNotAllowed }
