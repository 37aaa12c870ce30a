package contact

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
)

// A Dispute is between the addresses that an undone change brought and those that it took away, see [Policy].
type Dispute struct {
	Since time.Time // of the first undo
	// Addresses are all that are disputed. [Service.List] returns those that are contacts now.
	Addresses []Contact
	// EndsAt is when it ends as the subject said with [Service.EndDispute]; zero if nothing was proved, or an address objected.
	EndsAt   time.Time
	Mine     []civicpin.Contact // the disputed addresses that are contacts from EndsAt on
	Objected bool               // an address objected: from then on only staff end the dispute
}

// Dispute returns the dispute of a subject, nil if there is none. It is for the authenticated subject and for operators:
// addresses are not masked. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
func (s *Service) Dispute(ctx context.Context, subject civicpin.Subject) (*Dispute, error) {
	if err := subject.Validate(); err != nil {
		return nil, err
	}
	b, err := s.book(ctx, subject)
	if err != nil || b.Dispute == nil {
		return nil, err
	}
	d := &Dispute{Since: b.Dispute.Since, Objected: b.Dispute.Objected}
	for _, a := range b.Disputed() {
		d.Addresses = append(d.Addresses, shown(b, a))
	}
	if end := b.Dispute.Settlement; end != nil {
		d.EndsAt = end.Until
		for _, m := range end.Mine {
			d.Mine = append(d.Mine, m.Contact())
		}
	}
	return d, nil
}

// EndDispute begins the subject's own way out of a dispute. mine are the IDs of the disputed addresses that are the subject's;
// the others are removed at the end. It sends a code, and no link, to the contact with the ID via, which is not disputed. With
// the code [Service.ProveCode] has the dispute end after Policy.Undo. Each address of the dispute, and each contact, is told
// so, with a link that objects ([Service.Undo]): after an objection only staff end the dispute. It goes on if a disputed
// address cannot be told ([outbox.Outbox.Bounced]). What ends a contact that cools down ends this, too, and so does a completed
// recovery. Authenticate the subject before. Errors:
//   - [civicpin.ErrInvalid]: the subject or source is invalid. If it is an [*outbox.UnsendableError], the notifier would refuse
//     the code or the notice over the channel.
//   - [ErrUnsuitable]: there is no dispute, it ends already, an address objected, the contact proves nothing, an ID is not that
//     of a disputed address, or fewer than Policy.AtLeast or more than eight contacts would be left.
//   - a *[lockout.LockedError]: the limits of messages are reached.
//   - [outbox.ErrBusy]: too many messages wait. It matches [ErrBusy]: answer 503.
func (s *Service) EndDispute(ctx context.Context, subject civicpin.Subject, mine []string, via string, source civicpin.Source) (
	Candidate, error,
) {
	if err := errors.Join(subject.Validate(), source.Validate()); err != nil {
		return Candidate{}, err
	}
	id := token.NewID()
	return s.send(ctx, subject, civicpin.Citizen, source, id, func(b *book, now time.Time) (*contactbook.Candidate, error) {
		c, err := b.Claim(id, via, mine, now, s.policy.book())
		if err != nil {
			return nil, err
		}
		m := token.Sample(contactbook.ProofMessage, codeLength, false, now.Add(phoneLives))
		m.To.Locale = c.To.Locale
		return c, errors.Join(s.out.Check(m, c.To.Channel), s.sendable(false, c.To.Locale, c.To.Channel))
	})
}
