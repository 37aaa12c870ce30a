package sqlite_test

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

// openVault opens the vault that all processes of a test have in common, over a file. The caller closes the store.
func openVault(
	ctx context.Context, path string, now func() time.Time, r civicpin.Recorder,
) (*store.Vault, *sqlite.Store, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	v, err := store.OpenVault(ctx, s, testkit.Keys(), &store.Options{Now: now, Recorder: r})
	return v, s, err
}

// outcome says in a word what came of a guess. Any other error is one.
func outcome(err error) (string, error) {
	switch {
	case err == nil:
		return "let in", nil
	case errors.As(err, new(*lockout.LockedError)):
		return "locked", nil
	case errors.Is(err, lockout.ErrRefused):
		return "refused", nil
	case errors.Is(err, lockout.ErrBusy):
		return "busy", nil
	case errors.Is(err, recovery.ErrGone):
		return "gone", nil
	}
	return "", err
}

// patient guesses again as long as it is told to try later.
func patient(guess func() error) (string, error) {
	for {
		err := guess()
		if !errors.Is(err, lockout.ErrBusy) {
			return outcome(err)
		}
		time.Sleep(time.Millisecond)
	}
}
