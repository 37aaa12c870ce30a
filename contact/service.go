package contact

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// owner is the name under which the messages of this package stand in the outbox.
const owner = "contact"

// Credentials are the secrets that rest on contacts, as pin.Service has them.
type Credentials interface {
	// Acts returns a text that says what was done to the credential so far, after the same work for every subject. That of
	// pin.Service ends what waits for its proof, or cools down, by acts. If another text changes, that ends all addresses that
	// wait for their proof. Errors are the store's.
	Acts(ctx context.Context, subject civicpin.Subject) (string, error)
	// LowerLevel caps the assurance level at to until the given time. Errors match [store.ErrNotFound] for no credential.
	LowerLevel(ctx context.Context, subject civicpin.Subject, to civicpin.Level, until time.Time, reason string,
		by civicpin.Actor) error
	// ContactsWent ends what rests on contacts that went or are disputed, such as parts of a secret on their way, and what was
	// bound to the subject since a time, if a change that was made then is undone. Done twice it changes nothing. Errors match
	// [store.ErrNotFound] for no credential.
	ContactsWent(ctx context.Context, subject civicpin.Subject, went []civicpin.Contact, undone time.Time, by civicpin.Actor) error
	// Stop refuses the credential until an operator has looked at it. Errors match [store.ErrNotFound] for no credential.
	Stop(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error
}

// epochs is what package pin asks of the contacts that its grants rest on.
type epochs = interface {
	Epoch(ctx context.Context, subject civicpin.Subject) (uint64, error)
}

// A Service keeps contacts. Make one with [New]. It is safe for concurrent use, and any number of services with the same
// policy, in any number of processes, over one store keep the same contacts.
type Service struct {
	vault       *store.Vault
	out         *outbox.Outbox
	policy      Policy
	credentials Credentials // may be nil
	sends       *outbox.Limit
	proofs      *lockout.Gate
	guard       *attempt.Guard // before proofs
	books       store.Kind[contactbook.Book]
	pointers    store.Kind[pointer]
	decoy       contactbook.Book // what is looked at where a subject has no contacts
	sealed      store.Decoy      // the same, sealed
}

// New returns a service in the vault of out, which carries its messages; the service registers with it as "contact".
// credentials may be nil. New asks the Check of out's notifier ([outbox.Outbox.Check]) about the package's messages over the
// channels of Policy.Decoys, in every language. Errors:
//   - [civicpin.ErrInvalid]: out is nil, or the credentials send through another outbox.
//   - an [*outbox.UnsendableError]: the notifier would refuse a message.
//   - [ErrInvalidPolicy]: the policy is invalid, or needs credentials and there are none.
func New(out *outbox.Outbox, p Policy, credentials Credentials) (*Service, error) {
	if out == nil {
		return nil, fmt.Errorf("contact: %w: New needs an outbox", civicpin.ErrInvalid)
	}
	if c, ok := credentials.(interface{ Over(*outbox.Outbox) bool }); ok && !c.Over(out) {
		return nil, fmt.Errorf("contact: %w: the credentials send through another outbox: give New the outbox that pin.New got",
			civicpin.ErrInvalid)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if credentials == nil && (p.LowerTo != nil || p.SuspendOnUndo) {
		return nil, fmt.Errorf("%w: LowerTo and SuspendOnUndo need credentials", ErrInvalidPolicy)
	}
	v := out.Vault()
	s := &Service{vault: v, out: out, policy: p.withDefaults(), credentials: credentials}
	if err := s.sendable(true, "", s.expected()...); err != nil {
		return nil, err
	}
	var noLimit, noGate, noBooks, noPointers, noDecoy error
	s.sends, noLimit = out.Limit("contact", outbox.Shown, s.policy.Sends)
	s.proofs, noGate = lockout.New(v, "contact.proof", proofLimit())
	s.books, noBooks = store.NewKind[contactbook.Book](v, "contact.book")
	s.pointers, noPointers = store.NewKind[pointer](v, "contact.token")
	s.guard = attempt.New(v, s.proofs, nil, eventRefused)
	s.books = s.books.Padded(padding).Corrected(contactbook.Correct[store.Entry[contactbook.Book]](s.policy.book()))
	s.decoy = newDecoy(v.Now())
	s.sealed, noDecoy = s.books.Decoy(context.Background(), s.decoy)
	if err := errors.Join(noLimit, noGate, noBooks, noPointers, noDecoy); err != nil {
		return nil, err
	}
	if err := out.Register(owner, (*delivery)(s)); err != nil {
		return nil, err
	}
	if c, ok := credentials.(interface{ RestOn(c epochs) }); ok {
		c.RestOn(s)
	}
	return s, nil
}

// Over reports whether the service sends through an outbox. Services that rest on each other send through the same one.
func (s *Service) Over(out *outbox.Outbox) bool { return s != nil && s.out == out }

// RestsOn reports whether changes act on these credentials, and what waits ends with acts upon them.
func (s *Service) RestsOn(c Credentials) bool { return s.credentials == c }

// Policy returns a copy of the policy, with its defaults.
func (s *Service) Policy() Policy { return s.policy.withDefaults() }

// padding makes the contacts of most subjects as long as the decoy, in bytes.
const padding = 1024

// newDecoy returns a book like most: it is opened where a subject has none, so that both cases take the same time.
func newDecoy(now time.Time) contactbook.Book {
	id := strings.Repeat("A", 26)
	return contactbook.Book{
		Contacts: []contactbook.Address{
			{ID: id, To: letter.Contact{Channel: civicpin.Email, Address: "decoy@example.org"}, Since: now, Settled: true, Seen: true},
			{ID: id, To: letter.Contact{Channel: civicpin.SMS, Address: "+593990000000"}, Since: now, Settled: true, Seen: true},
		},
		Primary: id, Acts: waits.Stamp{waits.Adopt: 1},
		Changes: []contactbook.Change{{
			ID: id, What: contactbook.Added, By: "operator:decoy", At: now, Until: now, New: []string{id, id},
		}},
	}
}

// book reads a subject's contacts, with the same work for every subject.
func (s *Service) book(ctx context.Context, subject civicpin.Subject) (*book, error) {
	e, err := s.books.GetOr(ctx, store.Key{Subject: subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &e.Value, s.judge(ctx, subject, &e.Value)
}

// judge takes away from a book, which was read just now, what acts upon the credential have ended.
func (s *Service) judge(ctx context.Context, subject civicpin.Subject, b *book) (err error) {
	var acts string
	if s.credentials != nil {
		if acts, err = s.credentials.Acts(ctx, subject); err != nil {
			return fmt.Errorf("contact: the credential: %w", err)
		}
	}
	b.Judge(waits.Parse(acts), s.vault.Now(), s.policy.book())
	return nil
}
