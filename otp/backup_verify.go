package otp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// Verify checks a code and consumes it: of any number of concurrent uses of one code, one succeeds. Case, blanks and hyphens do
// not matter, and O is read as 0, I and L as 1. For what a call costs see docs/costs.md. Errors:
//   - [ErrRefused]: the code is wrong or was used, or the subject is unknown or has no codes.
//   - a *[lockout.LockedError]: the guesses are locked. The visitor may be told: unknown subjects lock alike.
//   - [ErrBusy]: nothing was compared, and no try was spent.
//   - [lockout.ErrTimeout]: the code is right, and the call took too long. The code is used, and the try stays counted.
//   - [civicpin.ErrInvalid]: the subject or the source is invalid.
//   - the store's, or the context's, for the log: the code may have been consumed.
func (b *BackupCodes) Verify(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret,
	source civicpin.Source,
) error {
	if err := subject.Validate(); err != nil {
		return err
	}
	guess, left := attempt.Guess{Target: lockout.Target{Subject: subject, Source: source}}, 0
	err := b.guard.Do(ctx, &guess, func(ctx context.Context) (finding attempt.Finding, err error) {
		finding, left, err = b.check(ctx, subject, typed)
		return finding, err
	})
	if err == nil {
		b.vault.Record(ctx, civicpin.Event{
			Code: eventBackupUsed, Subject: subject, By: civicpin.Citizen, Source: source, Reason: strconv.Itoa(left),
		})
	}
	return err
}

// check compares a guess, inside the gate, and uses a right code up. It returns how many codes are left.
func (b *BackupCodes) check(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret) (
	finding attempt.Finding, left int, err error,
) {
	e, err := b.sets.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return finding, 0, err
	}
	on, err := epochsOf(ctx, b.credentials, subject)
	if err != nil {
		return finding, 0, err
	}
	set, why := &e.Value, attempt.Wrong
	known := e.Found() && !on.ended(waits.Bound, e.Value.Epoch)
	if !known {
		set, why = &b.decoys[0], attempt.Unknown
	}
	// What cannot be a code is hashed as nothing: the same work is done whatever was typed.
	text, _ := backupAlphabet.Normalise(typed.Reveal())
	h, err := b.hash(ctx, set, text)
	if err != nil {
		return finding, 0, err
	}
	_, match := attempt.Among(ctx, set.Hashes, h)
	if !match.Right() {
		return attempt.Found(match, known, why), 0, nil
	}
	e, err = b.sets.UpdateFrom(ctx, e, func(e *store.Entry[backupSet]) error {
		var i int // of a set that was issued meanwhile it is none, nor if another call was quicker
		if i, match = attempt.Among(ctx, e.Value.Hashes, h); !match.Right() {
			return store.ErrSkip
		}
		e.Value.Hashes = slices.Delete(e.Value.Hashes, i, i+1)
		return nil
	})
	return attempt.Found(match, true, why), len(e.Value.Hashes), err
}

// hash hashes what was typed for a set, and for a decoy at each other cost that a set may have. A set of any other cost is not
// worked on: a writer to the store could ask for any amount of work.
func (b *BackupCodes) hash(ctx context.Context, set *backupSet, text string) (h []byte, err error) {
	if !slices.ContainsFunc(b.decoys, func(d backupSet) bool { return d.Params == set.Params }) {
		return nil, fmt.Errorf("%w: backup codes hashed at a cost that is not in use", store.ErrUnreadable)
	}
	for i := range b.decoys {
		at := &b.decoys[i]
		if at.Params == set.Params {
			at = set
		}
		var got []byte
		if err := b.hashing.Run(ctx, func() { got = at.hash(text) }); err != nil {
			return nil, err
		}
		if at == set {
			h = got
		}
	}
	return h, nil
}
