package contact

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
)

// A Contact is a proved address of a subject: a message to it was read, or an operator or another register vouched for it.
type Contact struct {
	civicpin.Contact
	ID         string    // names it, for the calls that change it; not secret
	Primary    bool      // preferred to others of its channel; one contact of a subject is
	ProvedAt   time.Time // when its proof came back, or it was adopted
	CoolsUntil time.Time // until when it cools down, see Policy.CoolDown; zero if it never did
	Disputed   bool      // by an undo, see Policy: it proves nothing until the dispute ends; send it no code
	// Unconfirmed says that staff issued after a recovery was repudiated, and no operator has seen it since. It undoes and
	// repudiates nothing: ask whose it is, and let an operator bring it to [Service.Adopt], or remove it.
	Unconfirmed bool
}

// A Candidate is an address that waits for its proof. It is no civicpin.Contact, so that it is not sent what a contact gets.
type Candidate struct {
	ID        string           // also of the Contact that it may become
	Channel   civicpin.Channel // Channel, Address and Locale are as in civicpin.Contact
	Address   string
	Locale    string
	Replaces  string    // the ID of the contact that it takes the place of; empty if it is added
	ExpiresAt time.Time // when it is given up
	// EndsDispute says that it is a contact already, and proves itself once more: [Service.EndDispute].
	EndsDispute bool
}

// shown returns an address of a book as callers see it.
func shown(b *contactbook.Book, a *contactbook.Address) Contact {
	return Contact{
		Contact: a.To.Contact(), ID: a.ID, Primary: a.ID == b.Primary, ProvedAt: a.Since, CoolsUntil: a.Cooling, Disputed: a.Disputed,
		Unconfirmed: b.Unconfirmed(a),
	}
}

// candidate returns a candidate of a book as callers see it.
func candidate(c *contactbook.Candidate) Candidate {
	return Candidate{
		ID: c.ID, Channel: c.To.Channel, Address: c.To.Address, Locale: c.To.Locale, Replaces: c.Replaces, ExpiresAt: c.Expires,
		EndsDispute: c.Claim != nil,
	}
}

// List returns the contacts of a subject, the primary one first, and the candidates. It is for the authenticated subject and
// for operators: addresses are not masked. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
func (s *Service) List(ctx context.Context, subject civicpin.Subject) ([]Contact, []Candidate, error) {
	if err := subject.Validate(); err != nil {
		return nil, nil, err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return nil, nil, err
	}
	var contacts []Contact
	for _, a := range b.Live() {
		contacts = append(contacts, shown(b, a))
	}
	var candidates []Candidate
	for i := range b.Pending {
		if b.Waits(b.Pending[i].ID, s.vault.Now()) == i {
			candidates = append(candidates, candidate(&b.Pending[i]))
		}
	}
	return contacts, candidates, nil
}
