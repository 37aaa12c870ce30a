package recovery

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// maxContacts bounds the contacts of one subject.
const maxContacts = 8

// A ContactPolicy says how the contacts of subjects are kept.
type ContactPolicy struct {
	// Decoys are made-up contacts in the likeness of the subjects', see otp.CodePolicy.
	Decoys []civicpin.Contact
}

func (p ContactPolicy) validate() error { return nil }

// A ProvedContact is a contact of a subject.
type ProvedContact struct {
	civicpin.Contact
}

type book struct{}

type pointer struct {
	Subject civicpin.Subject `json:"subject"`
}

func (b *book) usable(now time.Time) []ProvedContact { return nil }
func (b *book) all() []ProvedContact                 { return nil }
func (b *book) on(channels []civicpin.Channel, now time.Time) (ProvedContact, bool) {
	return ProvedContact{}, false
}

func (s *Service) book(ctx context.Context, subject civicpin.Subject) (*book, error) {
	e, err := s.books.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &e.Value, nil
}

func (s *Service) sameContacts(b *book, given []civicpin.Contact) ([]contact, bool) {
	return nil, false
}

func (s *Service) shown(r *run, channel civicpin.Channel) string { return "" }
func (s *Service) maskedFor(r *run, c civicpin.Contact) string   { return "" }
func (s *Service) nobody(subject civicpin.Subject, channel civicpin.Channel) civicpin.Contact {
	return civicpin.Contact{}
}

func (s *Service) adopt(ctx context.Context, subject civicpin.Subject, change string, to *pendingContact, by civicpin.Actor, source civicpin.Source) error {
	return nil
}

func (s *Service) undo(ctx context.Context, t token, source civicpin.Source) error { return ErrGone }

func (s *Service) undoChange(ctx context.Context, subject civicpin.Subject, change string, source civicpin.Source) error {
	return nil
}

func (s *Service) lookContact(ctx context.Context, t token) (Look, error) { return Look{}, ErrGone }

func isBookRef(id string) bool { return false }

func (d *delivery) confirmBook(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	return civicpin.Message{}, outbox.ErrWithdrawn
}

func (d *delivery) settleBook(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	return nil
}
