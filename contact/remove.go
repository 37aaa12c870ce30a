package contact

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
)

// Remove ends a contact, or gives a candidate up, by its ID. The others and the one that goes are told, and can undo it for
// the policy's Undo; one that an operator removes cannot: telephones are stolen. Recoveries under way end. Removing twice is
// no error. The caller has authenticated the citizen or the operator. Errors:
//   - [civicpin.ErrInvalid]: the subject or actor is invalid.
//   - [ErrUnsuitable]: there is no such contact, or fewer than the policy's AtLeast would be left.
//   - a *[lockout.LockedError]: too many changes can still be undone.
func (s *Service) Remove(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor,
	source civicpin.Source,
) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	return s.act(ctx, subject, token.NewID(), by, source, func(b *book, a contactbook.Act) (effects, string, error) {
		if channel := b.GiveUp(id, a.Now); channel != "" {
			return effects{}, "given up " + string(channel), nil
		}
		return b.Remove(id, a, s.policy.book())
	})
}

// MakePrimary has a contact be preferred to the others, by its ID. All are told, and can undo it. It is no error if it is the
// primary one. Errors are those of [Service.Remove], and [ErrUnsuitable] for a contact that cools down.
func (s *Service) MakePrimary(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor,
	source civicpin.Source,
) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	return s.act(ctx, subject, token.NewID(), by, source, func(b *book, a contactbook.Act) (effects, string, error) {
		return b.MakePrimary(id, a, s.policy.book())
	})
}
