package contact

import (
	"context"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/waits"
)

// A Snapshot is the contacts of a subject at one moment. That of an unknown subject answers all questions after the same work.
// Package recovery decides by it. It is not safe for concurrent use.
type Snapshot struct {
	service *Service
	subject civicpin.Subject
	book    *contactbook.Book
	now     time.Time
}

// A Recipient is an address that is told of what happens.
type Recipient struct {
	civicpin.Contact
	ID string // the contact's
	// Established says that it proves something. Only such a recipient gets a token: one that cools down, or is disputed or
	// unconfirmed, may be a thief's.
	Established bool
	// Since is since when the address is an established contact of the subject's, proved at ProvedAt; zero if it is none now.
	Since, ProvedAt time.Time
	// DisputedAt is since when an address is disputed that proved something before; zero for others. What began before may still
	// be repudiated by it: a thief must not take that from an owner by an undo.
	DisputedAt time.Time
	Seen       bool // an operator brought it, or was shown it
}

// Epoch changes with each act that takes a contact from the subject, or ends what waited. Package pin compares it where a grant
// is used. Errors are the store's.
func (s *Service) Epoch(ctx context.Context, subject civicpin.Subject) (uint64, error) {
	v, err := s.Snapshot(ctx, subject)
	if err != nil {
		return 0, err
	}
	return v.Epoch(), nil
}

// Snapshot reads the contacts of a subject, with the same work for every subject. Errors are the store's.
func (s *Service) Snapshot(ctx context.Context, subject civicpin.Subject) (*Snapshot, error) {
	b, err := s.book(ctx, subject)
	if err != nil {
		return nil, err
	}
	return &Snapshot{service: s, subject: subject, book: b, now: s.vault.Now()}, nil
}

// Epoch is [Service.Epoch], as it was then. It is 0 for an unknown subject.
func (v *Snapshot) Epoch() uint64 { return v.book.Acts.Epoch(waits.Grant) }

// Epochs count the acts upon the contacts that end a recovery, one in which a contact was proved, and one that operators
// approved. They are 0 for an unknown subject.
func (v *Snapshot) Epochs() (run, proved, approved uint64) {
	acts, none := v.book.Acts, len(v.book.Acts) == 0
	if none {
		acts = v.service.decoy.Acts // the same work: package recovery's TestTiming measures it
	}
	run, proved, approved = acts.Epoch(waits.Run), acts.Epoch(waits.Proved), acts.Epoch(waits.Approved)
	if none {
		return 0, 0, 0
	}
	return run, proved, approved
}

// looked returns the book to look at: the subject's, or the decoy where there is nothing in it.
func (v *Snapshot) looked() (b *contactbook.Book, mine bool) {
	if len(v.book.Contacts) > 0 {
		return v.book, true
	}
	return &v.service.decoy, false
}

// Established returns the contacts that can prove something, the primary one first: those that neither cool down nor are
// disputed.
func (v *Snapshot) Established() []civicpin.Contact {
	b, mine := v.looked()
	var list []civicpin.Contact
	for _, a := range b.Established(v.now) {
		list = append(list, a.To.Contact())
	}
	if !mine {
		return nil
	}
	return list
}

// On returns the usable contact of the first of the channels that has one; of several, the primary one or else the oldest.
func (v *Snapshot) On(channels ...civicpin.Channel) (civicpin.Contact, bool) {
	b, mine := v.looked()
	a := b.On(channels, v.now)
	if a == nil || !mine {
		return civicpin.Contact{}, false
	}
	return a.To.Contact(), true
}

// Recipients returns the addresses that are told of what happens: every contact, those that were one until lately, and both
// sides of a dispute.
func (v *Snapshot) Recipients() []Recipient {
	b, mine := v.looked()
	var list []Recipient
	for _, a := range b.Told(v.now) {
		r := Recipient{Contact: a.To.Contact(), ID: a.ID, Seen: a.Seen, ProvedAt: a.Since}
		r.Established = a.Established(v.now) && !b.Unconfirmed(&a)
		r.DisputedAt = b.DisputedAt(&a)
		if a.Live() && r.Established {
			r.Since = contactbook.Later(a.Since, a.Cooling)
		}
		list = append(list, r)
	}
	if !mine {
		return nil
	}
	return list
}

// Barred reports whether an operator took a contact away lately, by its ID, or did not confirm it: a stolen telephone does
// not speak for its owner.
func (v *Snapshot) Barred(id string) bool { return v.book.IsBarred(id) }

// Admits returns why an address could not take the place of those of its channel, nil if it could: [ErrUnsuitable].
func (v *Snapshot) Admits(to civicpin.Contact) error {
	_, err := v.book.Displaced(to)
	return limited(err)
}

// Keeps reports whether a completed recovery brought an address, by the id of its change, or the subject has it anyway.
func (v *Snapshot) Keeps(change string, to civicpin.Contact) bool {
	return v.book.Find(change) >= 0 || v.book.Same(to) != nil
}

// Corrected returns the epoch after a completed recovery brought an address now: a grant outlives what its own run changes.
// If another act comes first, [Service.Recovered] brings nothing. Errors:
//   - [ErrUnsuitable], a *[lockout.LockedError]: there is no room for the contact or the change.
func (v *Snapshot) Corrected(to civicpin.Contact) (*uint64, error) {
	b := *v.book // a copy as deep as Correct writes
	b.Contacts, b.Changes = slices.Clone(b.Contacts), slices.Clone(b.Changes)
	b.Pending, b.Mail = slices.Clone(b.Pending), slices.Clone(b.Mail)
	_, _, err := b.Correct("", letter.Stored(to), false, v.now, v.now, v.service.policy.book())
	return new(b.Acts.Epoch(waits.Grant)), limited(err)
}
