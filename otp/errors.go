package otp

import (
	"errors"

	"github.com/civicpin/civicpin/lockout"
)

var (
	// ErrRefused is the one answer to a wrong, spent or outdated code, and to a subject who has none to give. It is
	// [lockout.ErrRefused]; errors.As to a *[lockout.RefusedError] tells how many guesses are left.
	ErrRefused = lockout.ErrRefused
	// ErrBusy says that too much is being checked at this moment. Nothing was compared and no try spent: answer 503. It is
	// [lockout.ErrBusy]; [lockout.ErrInFlight] and [lockout.ErrOverloaded] say what was too much.
	ErrBusy = lockout.ErrBusy
	// ErrInvalidPolicy is matched by every error about a configuration or policy that cannot be.
	ErrInvalidPolicy = errors.New("otp: invalid policy")
	// ErrWrongState says that things are not in a state for the call, such as an import over a key in use. Visitors never get
	// it before they proved something.
	ErrWrongState = errors.New("otp: not in a state for this")
	// ErrNotEnrolled says that the subject has no key. Only calls for operators, or for the owner, return it.
	ErrNotEnrolled = errors.New("otp: not enrolled")
)

// ErrExpired says that a delivered code is right but came too late: have a new one sent. Only who typed the right code is told.
var ErrExpired = errors.New("otp: code has expired")
