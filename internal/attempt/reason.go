// Package attempt holds what the guarded comparisons of this module have in common.
package attempt

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
)

// Enter takes a place in front of the hashing, before anything is counted, so that a refusal costs nobody a try. The error of
// a full queue is [lockout.ErrOverloaded].
func Enter(ctx context.Context, g *password.Gate) (leave func(), err error) {
	leave, err = g.Enter(ctx)
	if errors.Is(err, password.ErrBusy) {
		err = lockout.ErrOverloaded
	}
	return leave, err
}

// Reason says for the log why a guess was refused. found is what the comparison found to be wrong, empty if there was none.
// It is believed only where the error says that something was compared: after a store's error the guess may have been right.
func Reason(err error, found string) string {
	_, locked := errors.AsType[*lockout.LockedError](err)
	expired := errors.Is(err, token.ErrExpired)
	switch {
	case found != "" && (locked || expired || errors.Is(err, lockout.ErrRefused)):
		return found
	case locked:
		return "locked"
	case errors.Is(err, lockout.ErrBusy):
		return "busy"
	case expired:
		return "expired"
	}
	return "not checked"
}
