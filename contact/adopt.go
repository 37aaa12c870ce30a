package contact

import (
	"context"
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
)

// Adopt takes contacts that the caller vouches for. An operator has seen them (by names the operator), another register knows
// them, or, by Citizen, a PIN was exchanged of which each half had gone to one. They are proved at once; candidates of these
// addresses need no proof any more. Contacts that an operator brings do not cool down, and end the cooling down of equal ones;
// they are disputed no longer ([Policy]), and end the dispute; they also end the lock of wrong codes ([Service.ProveCode]). All
// else that waits for its proof or cools down ends when an operator brings contacts: [Service.List] shows it before.
// Established contacts stay, and are told, with a way to undo it, as in [Service.Prove]. Errors:
//   - [civicpin.ErrInvalid]: the subject, actor or a contact is invalid, or two contacts have one address. If it is an
//     [*outbox.UnsendableError], the notifier would refuse the notice of a change over the channel of a contact.
//   - [ErrUnsuitable]: there would be more than eight, or an address is a contact on another channel.
//   - a *[lockout.LockedError]: too many changes can still be undone.
func (s *Service) Adopt(ctx context.Context, subject civicpin.Subject, contacts []civicpin.Contact, by civicpin.Actor,
	source civicpin.Source,
) error {
	for i, to := range contacts {
		if err := s.checkContact(subject, to, by, source, false); err != nil {
			return err
		}
		if slices.ContainsFunc(contacts[:i], to.SameAddress) {
			return fmt.Errorf("%w: two contacts of one address", civicpin.ErrInvalid)
		}
	}
	if len(contacts) == 0 || len(contacts) > contactbook.MaxContacts {
		return fmt.Errorf("%w: not 1 to %d contacts", civicpin.ErrInvalid, contactbook.MaxContacts)
	}
	err := s.act(ctx, subject, token.NewID(), by, source, func(b *book, a contactbook.Act) (effects, string, error) {
		return b.Adopt(contacts, a, s.policy.book())
	})
	if err == nil && by.IsOperator() {
		err = s.proofs.Rebind(ctx, lockout.Target{Subject: subject}, by)
	}
	return err
}
