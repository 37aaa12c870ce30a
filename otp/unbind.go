package otp

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// Remove ends all keys of a subject, the active and the pending one. Failures stay counted. Errors match [ErrNotEnrolled] if
// there is no key, [civicpin.ErrInvalid] for an invalid subject or actor, or are the store's: the keys may have ended.
func (k *keys) Remove(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return k.remove(ctx, subject, by, func(*boundKey) bool { return true })
}

// Unbind ends the keys that were bound to a subject since a time, and a pending key, whenever it was made. Those that operators
// bound stay. It is what recovery.Config.Unbind asks for when the subject says "it was not me". An undo of contacts calls it by
// itself if the service has a pin.Service as its [Credentials]. It returns nil if there are no such keys. Errors match
// [civicpin.ErrInvalid] for an invalid subject, or are the store's: call it again then.
func (k *keys) Unbind(ctx context.Context, subject civicpin.Subject, since time.Time) error {
	err := k.remove(ctx, subject, civicpin.Citizen, func(b *boundKey) bool {
		bound := b.Bound
		if !b.Until.IsZero() { // pending: a thief may type its first code later
			bound = since
		}
		return boundSince(bound, b.By, since)
	})
	if errors.Is(err, ErrNotEnrolled) {
		return nil
	}
	return err
}

// boundSince reports whether a key or a set was bound since a time. What operators bound does not count: they saw the subject,
// and a link does not undo what they did.
func boundSince(bound time.Time, by civicpin.Actor, since time.Time) bool {
	return !bound.Before(since) && !by.IsOperator()
}

// remove ends such keys of a subject.
func (k *keys) remove(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, such func(*boundKey) bool) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	var gone []string
	_, err := k.rings.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[keyring]) error {
		now := k.vault.Now()
		gone = nil
		e.Value.sweep(epochs{}, now)
		for _, b := range []**boundKey{&e.Value.Active, &e.Value.Pending} {
			if *b != nil && such(*b) {
				gone = append(gone, (*b).ID)
				*b = nil
			}
		}
		if len(gone) == 0 {
			return ErrNotEnrolled
		}
		e.ExpiresAt = e.Value.expires(now)
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range gone {
		k.record(ctx, civicpin.Event{Code: eventRemoved, Subject: subject, By: by}, id)
	}
	return nil
}

// Revoke ends all codes of a subject. It returns nil if there are none. Errors match [civicpin.ErrInvalid] for an invalid
// subject or actor, or are the store's: call it again then.
func (b *BackupCodes) Revoke(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return b.revoke(ctx, subject, by, func(*backupSet) bool { return true })
}

// Unbind ends the set that was issued to a subject since a time, unless an operator asked for it. It is what
// recovery.Config.Unbind asks for when the subject says "it was not me". Errors are those of [BackupCodes.Revoke].
func (b *BackupCodes) Unbind(ctx context.Context, subject civicpin.Subject, since time.Time) error {
	return b.revoke(ctx, subject, civicpin.Citizen, func(s *backupSet) bool { return boundSince(s.Issued, s.By, since) })
}

// revoke ends such codes of a subject.
func (b *BackupCodes) revoke(ctx context.Context, subject civicpin.Subject, by civicpin.Actor,
	such func(*backupSet) bool,
) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	done := false
	_, err := b.sets.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[backupSet]) error {
		done = len(e.Value.Hashes) > 0 && such(&e.Value)
		if !done {
			return store.ErrSkip
		}
		e.Value.Hashes = nil
		return nil
	})
	if err == nil && done {
		b.vault.Record(ctx, civicpin.Event{Code: eventBackupRevoked, Subject: subject, By: by})
	}
	return err
}
