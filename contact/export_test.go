package contact

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store/outbox"
)

// PlainBooks returns all contacts as they are before they are sealed.
func PlainBooks(ctx context.Context, s *Service) (string, error) { return testkit.Plain(ctx, s.books) }

// Usable returns the addresses of the contacts that can prove something, in the order in which they are preferred.
func Usable(ctx context.Context, s *Service, subject civicpin.Subject) ([]string, error) {
	v, err := s.Snapshot(ctx, subject)
	if err != nil {
		return nil, err
	}
	return addresses(v.Established()), nil
}

func addresses(contacts []civicpin.Contact) (list []string) {
	for _, c := range contacts {
		list = append(list, c.Address)
	}
	return list
}

// Told returns the addresses that are told of what happens.
func Told(ctx context.Context, s *Service, subject civicpin.Subject) ([]string, error) {
	v, err := s.Snapshot(ctx, subject)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, r := range v.Recipients() {
		list = append(list, r.Address)
	}
	return list, nil
}

// On returns the address of the contact for one of the channels, "" if there is none.
func On(ctx context.Context, s *Service, subject civicpin.Subject, channels ...civicpin.Channel) (string, error) {
	v, err := s.Snapshot(ctx, subject)
	if err != nil {
		return "", err
	}
	c, _ := v.On(channels...)
	return c.Address, nil
}

// SameContacts compares contacts that a visitor names, and returns the addresses of those that they are.
func SameContacts(ctx context.Context, s *Service, subject civicpin.Subject, given ...civicpin.Contact) ([]string, bool, error) {
	v, err := s.Snapshot(ctx, subject)
	if err != nil {
		return nil, false, err
	}
	named, ok := v.Match(ctx, given)
	var list []string
	for _, c := range named {
		list = append(list, string(c.Channel)+" "+c.Address)
	}
	return list, ok, nil
}

// MaskedContact returns what a visitor is shown of a subject's contact.
func MaskedContact(ctx context.Context, s *Service, subject civicpin.Subject, channel civicpin.Channel) (string, error) {
	v, err := s.Snapshot(ctx, subject)
	if err != nil {
		return "", err
	}
	return v.Masked(channel), nil
}

// Adopt is what a completed recovery does with an address that the visitor gave and proved.
func Adopt(ctx context.Context, s *Service, subject civicpin.Subject, change string, to civicpin.Contact, until time.Time) error {
	return s.Recovered(ctx, proof.New(proof.Completed{
		Subject: subject, Run: "run", Change: change, Corrected: to, Undo: until, By: civicpin.Citizen,
	}))
}

// UndoChange is what repudiating a recovery does with its change of contacts.
func UndoChange(ctx context.Context, s *Service, subject civicpin.Subject, change string) error {
	return s.Recovered(ctx, proof.New(proof.Completed{Subject: subject, Run: "run", Change: change, Repudiated: true}))
}

// MaxContacts and MaxChanges are the limits of a book.
const (
	MaxContacts = contactbook.MaxContacts
	MaxChanges  = contactbook.MaxChanges
)

// ConfirmMail is what the outbox asks of a message.
func ConfirmMail(ctx context.Context, s *Service, subject civicpin.Subject, id string) (civicpin.Message, error) {
	return (*delivery)(s).Confirm(ctx, outbox.Ref{Owner: owner, Subject: subject, ID: id})
}

// SettleMail tells that a message was taken over.
func SettleMail(ctx context.Context, s *Service, subject civicpin.Subject, id string) error {
	return (*delivery)(s).Settle(ctx, outbox.Ref{Owner: owner, Subject: subject, ID: id}, outbox.Outcome{})
}

// PlainSnapshot is the book that a snapshot was made of.
func PlainSnapshot(v *Snapshot) contactbook.Book { return *v.book }

// PlainDecoy is what is opened for a subject without contacts, before it is sealed.
func PlainDecoy(s *Service) contactbook.Book { return s.decoy }
