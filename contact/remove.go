package contact

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
)

// Remove ends a contact, or gives a candidate up, by its ID. The others and the one that goes are told, and can undo it for the
// policy's Undo; one that an operator removes cannot: telephones are stolen. Recoveries under way end. Removing twice is no error.
// The caller has authenticated the citizen or the operator. Errors:
//   - [civicpin.ErrInvalid]: the subject or actor is invalid.
//   - [ErrUnsuitable]: there is no such contact, or fewer than the policy's AtLeast would be left.
//   - a *[lockout.LockedError]: too many changes can still be undone.
//   - the store's: call again.
func (s *Service) Remove(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor, source civicpin.Source) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	change, reason := token.NewID(), ""
	err := s.alter(ctx, subject, by, func(b *contactbook.Book, now time.Time) (fx contactbook.Effects, err error) {
		reason = ""
		if channel := b.GiveUp(id, now); channel != "" {
			reason = "given up " + string(channel)
			return fx, nil
		}
		var was letter.Contact
		var done bool
		fx, was, done, err = b.Remove(id, contactbook.Act{ID: change, By: by, Now: now}, s.policy.book())
		if err == nil && !done {
			return fx, store.ErrSkip
		}
		reason = contactbook.Removed + " " + string(was.Channel)
		return fx, err
	})
	if err == nil && reason != "" {
		s.record(ctx, subject, by, source, change, reason)
	}
	return err
}

// MakePrimary has a contact be preferred to the others, by its ID. All are told, and can undo it. It is no error if it is the
// primary one. Errors are those of [Service.Remove], and [ErrUnsuitable] for a contact that cools down.
func (s *Service) MakePrimary(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor, source civicpin.Source) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	change, done := token.NewID(), false
	err := s.alter(ctx, subject, by, func(b *contactbook.Book, now time.Time) (fx contactbook.Effects, err error) {
		fx, done, err = b.MakePrimary(id, contactbook.Act{ID: change, By: by, Now: now}, s.policy.book())
		if err == nil && !done {
			err = store.ErrSkip
		}
		return fx, err
	})
	if err == nil && done {
		s.record(ctx, subject, by, source, change, contactbook.Primary)
	}
	return err
}
