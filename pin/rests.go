package pin

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// contacts are the contacts of subjects, as package contact keeps them.
type contacts = interface {
	// Epoch changes with each act that ends what rested on a contact.
	Epoch(ctx context.Context, subject civicpin.Subject) (uint64, error)
}

// RestOn names the contacts on which grants rest: one that was given before a contact went is not good after it. contact.New
// calls it. Without it, a grant that rests on contacts is refused.
func (s *Service) RestOn(c contacts) { s.contacts.Store(&c) }

// rests reports whether the contacts on which a grant rests are those that it was given for. Errors are the store's.
func (g *grant) rests(ctx context.Context, s *Service, subject civicpin.Subject) (bool, error) {
	c := s.contacts.Load()
	if g.Book == nil || c == nil {
		return g.Book == nil, nil
	}
	epoch, err := (*c).Epoch(ctx, subject)
	return err == nil && epoch == *g.Book, err
}

// Acts returns a text that says what was done to a subject's credential so far, with the same work for every subject. It is for
// package contact: some of these acts end what waits there. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
//   - the store's.
func (s *Service) Acts(ctx context.Context, subject civicpin.Subject) (string, error) {
	if err := subject.Validate(); err != nil {
		return "", err
	}
	e, err := s.creds.GetOr(ctx, store.Key{Subject: subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if !e.Found() {
		_ = s.decoy.Acts.Text() // the same work
	}
	return e.Value.Acts.Text(), nil
}

// provedStill reports whether the contacts on which an issued secret rests are the subject's still. One may have gone between
// the look at it and the write of the issue, which [Service.ContactsWent] then did not find. Errors are the store's.
func (s *Service) provedStill(ctx context.Context, subject civicpin.Subject, c *credential) (bool, error) {
	switch {
	case c.State != state.Provisional, !c.Proved:
		return true, nil
	case s.proved == nil:
		return false, nil
	}
	var list []civicpin.Contact
	for i := range c.Parts {
		list = append(list, c.Parts[i].contact())
	}
	return s.proved.Proved(ctx, subject, list)
}
