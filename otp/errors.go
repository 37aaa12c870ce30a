package otp

import (
	"errors"

	"github.com/civicpin/civicpin/lockout"
)

var (
	// ErrRefused answers a wrong, used or outdated code, and a subject who has none. It is [lockout.ErrRefused]; errors.As to a
	// *[lockout.RefusedError] tells how many guesses are left.
	ErrRefused = lockout.ErrRefused
	// ErrBusy says that too much is being checked at this moment. Nothing was compared, and no try was spent: answer 503. It is
	// [lockout.ErrBusy]; [lockout.ErrInFlight] and [lockout.ErrOverloaded] say what was too much.
	ErrBusy = lockout.ErrBusy
	// ErrInvalidPolicy matches every error about an invalid policy.
	ErrInvalidPolicy = errors.New("otp: invalid policy")
	// ErrWrongState says that the keys or codes are not in a state for the call, such as an import over a key in use. A visitor
	// gets it only after a proof.
	ErrWrongState = errors.New("otp: not in a state for this")
	// ErrNotEnrolled says that the subject has no key. Only calls for operators, or for the owner, return it.
	ErrNotEnrolled = errors.New("otp: not enrolled")
)

// ErrExpired says that a delivered code is right and came too late: request a new one. Only a caller with the right code is
// told.
var ErrExpired = errors.New("otp: code has expired")
