package contact

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/contactbook"
)

// Match returns the subject's usable contacts that a visitor named by channel and address, in the order given, if all are. It
// compares keyed hashes, always as many: its time reveals nothing. ctx is that of a guess: call it inside [lockout.Gate.Do],
// since it does not count.
func (v *Snapshot) Match(ctx context.Context, given []civicpin.Contact) ([]civicpin.Contact, bool) {
	usable := v.book.Established(v.now)
	real := len(usable) > 0
	if !real { // the same work, on the decoy
		usable = v.service.decoy.Established(v.now)
	}
	mark := func(c civicpin.Contact) [32]byte {
		return v.service.vault.Hash("contact.match", string(c.Channel), c.Canonical())
	}
	// An undo may bring back contacts beyond the limit.
	marks := make([][32]byte, max(contactbook.MaxContacts, len(usable)))
	for i := range marks {
		var c civicpin.Contact
		if i < len(usable) {
			c = usable[i].To.Contact()
		}
		marks[i] = mark(c)
	}
	named := make([]civicpin.Contact, len(given))
	used := make([]bool, len(marks))
	all := len(given) > 0
	for i, g := range given {
		want, found := mark(g), len(marks) // none
		for j := range marks {
			if attempt.Bytes(ctx, want[:], marks[j][:]).Right() && j < len(usable) && !used[j] && real {
				found = j
			}
		}
		if found == len(marks) {
			all = false
			continue
		}
		used[found] = true
		named[i] = usable[found].To.Contact()
	}
	if !all {
		return nil, false
	}
	return named, true
}

// Proved implements pin.ProvedContacts: all contacts given are usable ones of the subject. Errors are the store's.
func (s *Service) Proved(ctx context.Context, subject civicpin.Subject, given []civicpin.Contact) (bool, error) {
	v, err := s.Snapshot(ctx, subject)
	if err != nil {
		return false, err
	}
	_, all := v.Match(ctx, given)
	return all, nil
}

// Lost reports whether an act took an address from the subject lately, or put it in dispute. Package otp sends no code there.
// Errors are the store's.
func (s *Service) Lost(ctx context.Context, subject civicpin.Subject, to civicpin.Contact) (bool, error) {
	b, err := s.book(ctx, subject)
	if err != nil {
		return false, err
	}
	return b.Lost(to), nil
}
