package pin

import (
	"errors"
	"fmt"

	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

var (
	// ErrRefused answers a wrong secret, and a subject who is unknown, revoked, suspended or was never issued a credential. It is
	// [lockout.ErrRefused]; errors.As to a *[lockout.RefusedError] tells how many guesses are left.
	ErrRefused = lockout.ErrRefused
	// ErrBusy says that too much is being checked at this moment, for this subject or altogether. Nothing was compared, and no try
	// was spent: answer 503. It is [lockout.ErrBusy]; [lockout.ErrInFlight] and [lockout.ErrOverloaded] tell the two apart.
	ErrBusy = lockout.ErrBusy
	// ErrExpired matches every [ExpiredError].
	ErrExpired = errors.New("pin: expired")
	// ErrWrongState says that the credential is not in a state for the call: to exchange one that was exchanged, to change one
	// that was not, to issue over one in use, to send again what was erased. Visitors get it only with the right secret. From
	// Exchange, Change, Suspend, Resume, Import and Complete, and from Issue to an operator, its text says which state that is.
	ErrWrongState = errors.New("pin: credential is not in a state for this")
	// ErrChanged says that the credential changed while the call worked on it, and the call wrote nothing.
	ErrChanged = errors.New("pin: credential changed meanwhile")
	// ErrNoCredential says that there is no credential for the act: the subject has none, [Service.Attest] found a revoked one, or
	// no credential has the receipt. Only calls for operators, and for providers' reports, return it. It matches
	// [store.ErrNotFound].
	ErrNoCredential = fmt.Errorf("pin: no credential: %w", store.ErrNotFound)
	// ErrWeakEvidence says that the evidence given does not reach the level asked for under the policy.
	ErrWeakEvidence = errors.New("pin: evidence does not give this level")
	// ErrWrongParts says that the contacts cannot carry the parts: their number is not the policy's, a channel or an address is
	// repeated, a channel is not in the policy, or the caller would print two parts.
	ErrWrongParts = errors.New("pin: contacts do not fit the parts")
)

// An ExpiredError says that the secret is right but expired. Only a caller with the right secret is told. It matches
// [ErrExpired].
type ExpiredError struct {
	Since state.Expiry // the event since which too much time has passed
}

// Error names the time limit that has passed.
func (e *ExpiredError) Error() string {
	return ErrExpired.Error() + ": too long since " + string(e.Since)
}

// Is reports whether target is [ErrExpired].
func (e *ExpiredError) Is(target error) bool { return target == ErrExpired }

// ErrUnfitSecret matches every [ChoiceError].
var ErrUnfitSecret = errors.New("pin: secret may not be chosen")

// ErrUnchecked says that a choice was refused because Chosen.Breached gave an error; the error returned matches that one, too.
// No try was spent. The choice may be good: let the subject try again later.
var ErrUnchecked = errors.New("pin: cannot tell whether the choice is known from a breach")

// A ChoiceError says which rule a chosen secret breaks. Tell it to the subject (NIST SP 800-63B-4 3.1.1.2). It matches
// [ErrUnfitSecret].
type ChoiceError struct {
	// Rule is any but rule.Question.
	Rule rule.Rule
}

// Error names the rule, never the secret.
func (e *ChoiceError) Error() string { return ErrUnfitSecret.Error() + ": " + string(e.Rule) }

// Is reports whether target is [ErrUnfitSecret].
func (e *ChoiceError) Is(target error) bool { return target == ErrUnfitSecret }
