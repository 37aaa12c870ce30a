// Package contactbook decides what becomes of a subject's contacts: a value and its transitions, without I/O. Package contact
// stores it, sends what it asks for, and compares tokens and codes.
package contactbook

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/internal/waits"
)

const (
	day = 24 * time.Hour

	// MaxContacts bounds the contacts of one subject, and its candidates.
	MaxContacts = 8
	// MaxChanges bounds the changes of one subject that can still be undone: no more are let in, since to forget one would
	// take the right to undo it away. Staff, and recoveries that are completed, have as many beyond.
	MaxChanges = 16
	// MaxSends bounds the messages to one candidate, beside the limits on messages.
	MaxSends = 10
	// maxDisputed bounds the addresses that went and are still disputed, beyond those that are told or can come back.
	maxDisputed = 16
	// Late is how long after its end something is still recognised, so that its holder can be told that it is late.
	Late = day
	// candidateLives is how long a candidate waits for its proof (NIST SP 800-63B-4 4.2.1.2: 24 hours by e-mail).
	candidateLives = day
)

// A Policy holds the numbers by which a book decides; see package contact.
type Policy struct {
	AtLeast        int
	Undo, CoolDown time.Duration
}

// A Book is all that is kept of one subject's contacts: one sealed record, so that one conditional write decides about them.
type Book struct {
	// Contacts holds the proved addresses, and the former ones that are still told or can come back.
	Contacts []Address   `json:"contacts,omitempty" export:"yes"`
	Primary  string      `json:"primary,omitempty"` // id
	Pending  []Candidate `json:"pending,omitempty" export:"yes"`
	Changes  []Change    `json:"changes,omitempty"` // that can be undone, oldest first
	Mail     []Note      `json:"mail,omitempty"`
	// Dispute is open since an undo, until staff have seen the subject.
	Dispute *Dispute `json:"dispute,omitempty" export:"yes"`
	// Acts counts the acts upon the contacts that end recoveries under way, and grants: a link may be on its way to a contact
	// that went.
	Acts waits.Stamp `json:"acts,omitempty"`

	past waits.Acts // upon the credential, as [Book.Judge] was told
}

// An Address is a proved contact.
type Address struct {
	ID      string         `json:"id"`
	To      letter.Contact `json:"to" export:"yes"`
	Since   time.Time      `json:"since" export:"yes"`
	Cooling time.Time      `json:"cooling,omitzero" export:"yes"` // until when it proves nothing
	// Gone is when the address went, and Told until when it is still told of what happens; zero after an undo or an operator.
	Gone time.Time `json:"gone,omitzero" export:"yes"`
	Told time.Time `json:"told,omitzero" export:"yes"`
	// Stamp names the acts upon the credential that were before. Later ones can end the address until it is settled.
	Stamp     waits.Stamp `json:"stamp,omitempty"`
	Settled   bool        `json:"settled,omitempty"`
	Seen      bool        `json:"seen,omitempty" export:"yes"`      // an operator brought it, or was shown it
	SeenSince bool        `json:"seenSince,omitempty" export:"yes"` // an operator was shown it, after it came
	// Disputed says that an undo took the address away or brought it back, and that no operator has seen it since. Such a one
	// proves nothing, and undoes nothing.
	Disputed   bool      `json:"disputed,omitempty" export:"yes"`
	DisputedAt time.Time `json:"disputedAt,omitzero" export:"yes"` // when that began last
	Undid      bool      `json:"undid,omitempty" export:"yes"`     // it undid a change, and no operator has seen it since
	// Confirmed is how many recoveries had been repudiated when an operator saw the address, or it came.
	Confirmed uint64 `json:"confirmed,omitempty"`
	// Barred is the change by which an operator took the address away. Nothing but an undo of that change brings it back.
	Barred string `json:"barred,omitempty"`
}

// Live reports whether the address is the subject's.
func (a *Address) Live() bool { return a.Gone.IsZero() }

// CoolsDown reports whether the address proves nothing yet.
func (a *Address) CoolsDown(now time.Time) bool { return now.Before(a.Cooling) }

// Established reports whether the address proves something, or did when it went. Only such a one gets tokens.
func (a *Address) Established(now time.Time) bool {
	if !a.Live() {
		now = a.Gone // what went while it cooled down never comes to be one, however long it is told of things
	}
	return !a.Disputed && !a.CoolsDown(now)
}

// Live returns the subject's contacts, the primary one first and then the oldest.
func (b *Book) Live() []*Address {
	var list []*Address
	for i := range b.Contacts {
		if a := &b.Contacts[i]; a.Live() {
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(x, y *Address) int {
		if (x.ID == b.Primary) != (y.ID == b.Primary) {
			if x.ID == b.Primary {
				return -1
			}
			return 1
		}
		return x.Since.Compare(y.Since)
	})
	return list
}

// Established returns the contacts that can prove something: those that neither cool down nor are disputed.
func (b *Book) Established(now time.Time) []*Address {
	return slices.DeleteFunc(b.Live(), func(a *Address) bool { return !a.Established(now) })
}

// On returns the usable contact of the first channel that has one, nil if none has; of several the primary one, or the oldest.
func (b *Book) On(channels []civicpin.Channel, now time.Time) *Address {
	usable := b.Established(now)
	for _, channel := range channels {
		for _, a := range usable {
			if a.To.Channel == channel {
				return a
			}
		}
	}
	return nil
}

// Told returns the addresses that are told of what happens: all contacts, and those that were one until lately, since a thief
// removes them first, and both sides of a dispute. None that an operator removed: its holder would learn how the owner gets the
// account back.
func (b *Book) Told(now time.Time) []Address {
	var list []Address
	for _, a := range b.Live() {
		list = append(list, *a)
	}
	for i := range b.Contacts {
		if a := &b.Contacts[i]; !a.Live() && a.told(b, now) {
			list = append(list, *a)
		}
	}
	return list
}

// told reports whether an address that went is told of what happens.
func (a *Address) told(b *Book, now time.Time) bool {
	return a.Barred == "" && (now.Before(a.Told) || a.Disputed && b.Dispute != nil)
}

// Contact returns a contact of the subject's by its id, nil if there is none.
func (b *Book) Contact(id string) *Address {
	for i := range b.Contacts {
		if a := &b.Contacts[i]; a.ID == id && a.Live() {
			return a
		}
	}
	return nil
}

// Same returns the subject's contact of a channel and address, nil if there is none.
func (b *Book) Same(to civicpin.Contact) *Address {
	for _, a := range b.Live() {
		if a.To.Channel == to.Channel && a.To.Contact().SameAddress(to) {
			return a
		}
	}
	return nil
}

// IsBarred reports whether an operator took a contact away lately, or did not confirm it ([Book.Unconfirmed]): a thief of a
// telephone must not speak for its owner.
func (b *Book) IsBarred(id string) bool {
	return slices.ContainsFunc(b.Contacts, func(a Address) bool { return a.ID == id && (a.Barred != "" || b.Unconfirmed(&a)) })
}

// Tidy drops what says nothing any more.
func (b *Book) Tidy(now time.Time) {
	past := func(t time.Time) bool { return !now.Before(t.Add(Late)) }
	b.Pending = slices.DeleteFunc(b.Pending, func(c Candidate) bool { return past(c.Expires) })
	b.Mail = slices.DeleteFunc(b.Mail, func(n Note) bool { return !now.Before(n.Expires) })
	b.Changes = slices.DeleteFunc(b.Changes, func(c Change) bool { return past(c.Until) })
	if len(b.Live()) == 0 && len(b.Changes) == 0 {
		b.seen() // of a subject without contacts nothing is kept for ever
	}
	disputed := 0
	for i := len(b.Contacts) - 1; i >= 0; i-- {
		a := &b.Contacts[i]
		if a.Live() || now.Before(a.Told) || b.returns(a.ID) {
			continue
		}
		if a.Disputed || a.Undid {
			disputed++
		}
		if !a.Disputed && !a.Undid || disputed > maxDisputed {
			b.Contacts = slices.Delete(b.Contacts, i, i+1)
		}
	}
}

// returns reports whether a change can bring an address back, or a token leads to it.
func (b *Book) returns(id string) bool {
	return slices.ContainsFunc(b.Changes, func(c Change) bool {
		return !c.Undone && slices.Contains(c.Before, id) || c.counts() && slices.Contains(c.New, id) ||
			slices.ContainsFunc(c.Tokens, func(t UndoToken) bool { return t.To == id })
	})
}

// Keep returns until when the record is kept: for ever, unless the subject has no contact.
func (b *Book) Keep(now time.Time) time.Time {
	if len(b.Live()) > 0 {
		return time.Time{}
	}
	until := now
	for _, c := range b.Pending {
		until = Later(until, c.Expires)
	}
	for _, c := range b.Changes {
		until = Later(until, c.Until)
	}
	for _, n := range b.Mail {
		until = Later(until, n.Expires)
	}
	for _, a := range b.Contacts {
		until = Later(until, a.Told)
	}
	return until.Add(Late)
}

// Later returns the later of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Correct returns what corrects the times of a stored book, whose entry has the type E.
func Correct[E any](p Policy) func(*E, time.Time) bool {
	ends := max(90*day, p.Undo, p.CoolDown) // a recovery can be repudiated, and what it changed undone, for less than that
	return stored.Within[E](map[string]time.Duration{
		"Cooling": ends, "Told": ends, "Until": ends, "Expires": ends,
		"Candidate.Expires": candidateLives, "Link.Expires": candidateLives,
	}, "Candidate.Expires", "Link.Expires")
}
