package recovery

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// NewContacts is New without what only answers need, which hashes: for tests of contacts that make thousands of services.
func NewContacts(v *store.Vault, out *outbox.Outbox, c Config) (*Service, error) {
	s := &Service{vault: v, out: out, config: c, plans: make(map[string]*way), roles: make(map[string]*role)}
	s.config.Contacts = c.Contacts.withDefaults()
	if err := s.config.Contacts.validate(); err != nil {
		return nil, err
	}
	for _, p := range c.Plans {
		if err := s.addPlan(p); err != nil {
			return nil, err
		}
	}
	if err := s.limits(); err != nil {
		return nil, err
	}
	s.runs, _ = store.NewKind[run](v, "recovery.run")
	s.books, _ = store.NewKind[book](v, "recovery.contacts")
	s.pointers, _ = store.NewKind[pointer](v, "recovery.token")
	s.answers, _ = store.NewKind[knowledge](v, "recovery.knowledge")
	return s, out.Register(owner, (*delivery)(s))
}

// PlainBooks returns all contacts as they are before they are sealed.
func PlainBooks(ctx context.Context, s *Service) (string, error) { return testkit.Plain(ctx, s.books) }

// Usable returns the addresses of the contacts that can prove something, in the order in which they are preferred.
func Usable(ctx context.Context, s *Service, subject civicpin.Subject) ([]string, error) {
	b, err := s.book(ctx, subject)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, c := range b.usable(s.vault.Now()) {
		list = append(list, c.Address)
	}
	return list, nil
}

// Told returns the addresses that are told of what happens.
func Told(ctx context.Context, s *Service, subject civicpin.Subject) ([]string, error) {
	b, err := s.book(ctx, subject)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, h := range b.told(s.vault.Now()) {
		list = append(list, h.To.Address)
	}
	return list, nil
}

// On returns the address of the contact for one of the channels, "" if there is none.
func On(ctx context.Context, s *Service, subject civicpin.Subject, channels ...civicpin.Channel) (string, error) {
	b, err := s.book(ctx, subject)
	if err != nil {
		return "", err
	}
	c, _ := b.on(channels, s.vault.Now())
	return c.Address, nil
}

// SameContacts compares contacts that a visitor names, and returns the addresses of those that they are.
func SameContacts(ctx context.Context, s *Service, subject civicpin.Subject, given ...civicpin.Contact) ([]string, bool, error) {
	b, err := s.book(ctx, subject)
	if err != nil {
		return nil, false, err
	}
	named, ok := s.sameContacts(b, given)
	var list []string
	for _, c := range named {
		list = append(list, string(c.Channel)+" "+c.Address)
	}
	return list, ok, nil
}

// MaskedContact returns what a visitor is shown of a subject's contact.
func MaskedContact(ctx context.Context, s *Service, subject civicpin.Subject, channel civicpin.Channel) (string, error) {
	b, err := s.book(ctx, subject)
	if err != nil {
		return "", err
	}
	return s.masked(subject, b, channel), nil
}

// MaskedNobody returns what a visitor is shown of a message that went to nobody.
func MaskedNobody(s *Service, subject civicpin.Subject, channel civicpin.Channel) string {
	return s.maskedFor(&run{Subject: subject}, s.nobody(subject, channel))
}

// Adopt is what a completed recovery does with an address that the visitor gave and proved.
func Adopt(ctx context.Context, s *Service, subject civicpin.Subject, change string, to civicpin.Contact, until time.Time) error {
	return s.adopt(ctx, subject, change, &pendingContact{Channel: to.Channel, Address: to.Address, Locale: to.Locale},
		civicpin.Citizen, civicpin.Source{}, until)
}

// UndoChange is what disowning a recovery does with its change of contacts.
func UndoChange(ctx context.Context, s *Service, subject civicpin.Subject, change string) error {
	return s.undoChange(ctx, subject, change, civicpin.Source{})
}

// MaxContacts and MaxChanges are the limits of a book.
const (
	MaxContacts = maxContacts
	MaxChanges  = maxChanges
)

// ConfirmMail is what the outbox asks of a message.
func ConfirmMail(ctx context.Context, s *Service, subject civicpin.Subject, id string) (civicpin.Message, error) {
	return (*delivery)(s).Confirm(ctx, outbox.Ref{Owner: owner, Subject: subject, ID: id})
}

// SettleMail tells that a message was taken over.
func SettleMail(ctx context.Context, s *Service, subject civicpin.Subject, id string) {
	_ = (*delivery)(s).Settle(ctx, outbox.Ref{Owner: owner, Subject: subject, ID: id}, outbox.Outcome{})
}
