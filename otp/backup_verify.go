package otp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// Verify checks a code and consumes it: of any number of concurrent uses of one code, one succeeds. Case, blanks and hyphens do
// not matter, and O is read as 0, I and L as 1. For what a call costs see docs/costs.md. Errors:
//   - [ErrRefused]: the code is wrong or was used, or the subject is unknown or has no codes.
//   - a *[lockout.LockedError]: the guesses are locked. The visitor may be told: unknown subjects lock alike.
//   - [ErrBusy]: nothing was compared, and no try was spent.
//   - [civicpin.ErrInvalid]: the subject is invalid.
//   - the store's, or the context's, for the log: the code may have been consumed.
func (b *BackupCodes) Verify(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret,
	source civicpin.Source,
) error {
	if err := subject.Validate(); err != nil {
		return err
	}
	leave, err := attempt.Enter(ctx, b.hashing)
	if err != nil {
		return err
	}
	defer leave()
	why, left := "", 0
	err = b.gate.Do(ctx, lockout.Target{Subject: subject, Source: source}, func(ctx context.Context) (bool, error) {
		e, err := b.sets.Get(ctx, store.Key{Subject: subject})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		set := &e.Value
		if !e.Found() {
			set = &b.decoy
		}
		if !backupParams(set.Params, b.params) { // whoever wrote this could ask for any amount of work
			return false, fmt.Errorf("%w: backup codes hashed at a cost out of range", store.ErrUnreadable)
		}
		// What cannot be a code is hashed as nothing: the same work is done whatever was typed.
		text, _ := backupAlphabet.Normalise(typed.Reveal())
		var h []byte
		if err := b.hashing.Run(ctx, func() { h = set.hash(text) }); err != nil {
			return false, err
		}
		switch {
		case !e.Found():
			why = "unknown"
			return false, lockout.ErrNoSubject
		case set.find(h) < 0:
			why = "wrong"
			return false, nil
		}
		right := false
		e, err = b.sets.UpdateFrom(ctx, e, func(e *store.Entry[backupSet]) error {
			i := e.Value.find(h) // of a set that was issued meanwhile it is none, nor if somebody else was quicker
			if right = i >= 0; !right {
				return store.ErrSkip
			}
			e.Value.Hashes = slices.Delete(e.Value.Hashes, i, i+1)
			return nil
		})
		if err != nil {
			return false, err
		}
		why, left = "wrong", len(e.Value.Hashes)
		return right, nil
	})
	event := civicpin.Event{
		Code: eventBackupUsed, Subject: subject, By: civicpin.Citizen, Source: source, Reason: strconv.Itoa(left),
	}
	if err != nil {
		event.Code, event.Reason = eventBackupRefused, attempt.Reason(err, why)
	}
	b.vault.Record(ctx, event)
	return err
}

// backupParams reports whether stored costs are ones to work with: those in use, or valid ones from before.
func backupParams(stored, current password.Params) bool {
	return stored == current || stored.Validate() == nil
}
