package contact

import (
	"errors"

	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
)

var (
	// ErrRefused answers a wrong code, and any code where nothing waits for a proof. It is [lockout.ErrRefused].
	ErrRefused = lockout.ErrRefused
	// ErrBusy says that too much happens at this moment. No try was spent. It is [lockout.ErrBusy].
	ErrBusy = lockout.ErrBusy
	// ErrGone says that a token is unknown, was used or was given up.
	ErrGone = token.ErrGone
	// ErrExpired says that a right token or code came too late. Only its holder is told.
	ErrExpired = token.ErrExpired
	// ErrUnsuitable says that the contacts do not allow an act:
	//   - the contact is not found, cools down, is disputed, or is one of the last that Policy.AtLeast keeps;
	//   - the address is a contact of the subject already, or there are eight, with the candidates;
	//   - a citizen removes or replaces a contact while contacts are disputed, see [Policy].
	ErrUnsuitable = contactbook.ErrUnsuitable
)

// limited turns a book's refusals for number into the error that callers know.
func limited(err error) error {
	if limit, ok := errors.AsType[*contactbook.LimitError](err); ok && limit.Sends {
		return &lockout.LockedError{Scope: lockout.ScopeSends, Until: limit.Until}
	} else if ok {
		return &lockout.LockedError{Scope: lockout.ScopeSubject, Until: limit.Until}
	}
	return err
}
