package contact

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
)

// Remove ends a contact, or gives a candidate up, by its ID. The other contacts and the removed one are told, and can undo it
// for the policy's Undo; a contact that an operator removes cannot: telephones are stolen. Recoveries under way end. Removing
// twice is no error. Authenticate the subject or the operator before. Errors:
//   - [civicpin.ErrInvalid]: the subject, actor or source is invalid.
//   - [ErrUnsuitable]: there is no such contact, contacts are disputed and no operator acts, or fewer than the policy's AtLeast
//     would be left.
//   - a *[lockout.LockedError]: too many changes can still be undone.
func (s *Service) Remove(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor,
	source civicpin.Source,
) error {
	if err := errors.Join(subject.Validate(), by.Validate(), source.Validate()); err != nil {
		return err
	}
	return s.act(ctx, subject, token.NewID(), by, source, func(b *book, a contactbook.Act) (effects, string, error) {
		if channel := b.GiveUp(id, a.Now); channel != "" {
			return effects{}, "given up " + string(channel), nil
		}
		return b.Remove(id, a, s.policy.book())
	})
}

// MakePrimary makes a contact, by its ID, preferred to the others. All are told, and can undo it. It is no error if it is
// primary already. Errors are those of [Service.Remove], and [ErrUnsuitable] for a contact that cools down or is disputed.
func (s *Service) MakePrimary(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor,
	source civicpin.Source,
) error {
	if err := errors.Join(subject.Validate(), by.Validate(), source.Validate()); err != nil {
		return err
	}
	return s.act(ctx, subject, token.NewID(), by, source, func(b *book, a contactbook.Act) (effects, string, error) {
		return b.MakePrimary(id, a, s.policy.book())
	})
}
