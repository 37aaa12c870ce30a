package recovery

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxContacts bounds the contacts of one subject, and those that wait for their proof.
	maxContacts = 8
	// maxChanges bounds the changes of one subject that can still be undone: no more are let in, since to forget one would
	// take the right to undo it away. Staff, and recoveries that are completed, have as many beyond.
	maxChanges = 16
)

// book is all that is kept of one subject's contacts: one sealed record, so that whatever becomes of them is decided by one
// conditional write.
type book struct {
	// Contacts holds the proved ones, also those that are the subject's no longer, as long as they are told or can come back.
	Contacts []held       `json:"contacts,omitempty" export:"yes"`
	Primary  string       `json:"primary,omitempty"` // id
	Pending  []unproved   `json:"pending,omitempty" export:"yes"`
	Changes  []bookChange `json:"changes,omitempty"` // that can be undone, oldest first
	Mail     []note       `json:"mail,omitempty"`
	// Epoch counts the writes after which a contact was the subject's no longer. They end the recoveries under way: a link
	// may be on its way to that contact.
	Epoch uint64 `json:"epoch,omitempty"`
}

// held is a proved contact.
type held struct {
	ID      string    `json:"id"`
	To      contact   `json:"to" export:"yes"`
	Since   time.Time `json:"since" export:"yes"`
	Cooling time.Time `json:"cooling,omitzero" export:"yes"` // until when it proves nothing
	// Gone is since when it is the subject's no longer, and Told until when it is told of what happens all the same; zero for
	// one that an undo or a member of staff took away.
	Gone time.Time `json:"gone,omitzero" export:"yes"`
	Told time.Time `json:"told,omitzero" export:"yes"`
	// Barred is the change by which a member of staff took it away. Nothing but an undo of that brings it back.
	Barred string `json:"barred,omitempty"`
}

func (h *held) live() bool                 { return h.Gone.IsZero() }
func (h *held) cooling(now time.Time) bool { return now.Before(h.Cooling) }

// established reports whether the contact is, or was when it went, one that proves something. Only such a one gets tokens.
func (h *held) established(now time.Time) bool {
	if !h.live() {
		now = h.Gone // what went while it cooled down never comes to be one, however long it is told of things
	}
	return !h.cooling(now)
}

// proved is a contact as it is shown.
func (b *book) proved(h *held) ProvedContact {
	return ProvedContact{Contact: h.To.contact(), ID: h.ID, Primary: h.ID == b.Primary, Since: h.Since, Cooling: h.Cooling}
}

// unproved is a contact that waits for its proof. What is made of one is in [Service.accept] alone.
type unproved struct {
	ID       string         `json:"id"` // also of the contact that it may become
	To       pendingContact `json:"to" export:"yes"`
	Replaces string         `json:"replaces,omitempty"` // a contact's id
	// First says that the subject had no contact when this one was asked for.
	First   bool           `json:"first,omitempty"`
	By      civicpin.Actor `json:"by" export:"yes"`
	Expires time.Time      `json:"expires" export:"yes"`
	Links   []link         `json:"links,omitempty"` // oldest first
	Sends   int            `json:"sends"`
}

// pointer leads from the selector of a token to whose it is. It is written once and decides nothing.
type pointer struct {
	Subject civicpin.Subject `json:"subject" export:"subject"`
}

// book reads a subject's contacts. One store call, whoever the subject is.
func (s *Service) book(ctx context.Context, subject civicpin.Subject) (*book, error) {
	e, err := s.books.GetOr(ctx, store.Key{Subject: subject}, s.alike.book)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &e.Value, nil
}

// live returns the subject's contacts, the primary one first and then the oldest.
func (b *book) live() []*held {
	var list []*held
	for i := range b.Contacts {
		if h := &b.Contacts[i]; h.live() {
			list = append(list, h)
		}
	}
	slices.SortStableFunc(list, func(x, y *held) int {
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

// usable returns the contacts that can prove something: those that do not cool down.
func (b *book) usable(now time.Time) []ProvedContact {
	var list []ProvedContact
	for _, h := range b.live() {
		if !h.cooling(now) {
			list = append(list, b.proved(h))
		}
	}
	return list
}

// on returns the usable contact of the first of the channels that has one; of several, the primary one or else the oldest.
func (b *book) on(channels []civicpin.Channel, now time.Time) (ProvedContact, bool) {
	usable := b.usable(now)
	for _, channel := range channels {
		for _, c := range usable {
			if c.Channel == channel {
				return c, true
			}
		}
	}
	return ProvedContact{}, false
}

// told returns whom to tell of what happens: every contact, also one that cools down, and those that were the subject's until
// lately (NIST SP 800-63B-4 4.6): whoever took an account over removed them first. It leaves out what an undo has removed, whose
// holder would otherwise be told how the owner gets their account back, and what a member of staff has taken away.
func (b *book) told(now time.Time) []held {
	var list []held
	for _, h := range b.live() {
		list = append(list, *h)
	}
	for i := range b.Contacts {
		if h := &b.Contacts[i]; !h.live() && now.Before(h.Told) {
			list = append(list, *h)
		}
	}
	return list
}

// contact returns a contact of the subject's, nil if there is none of that id.
func (b *book) contact(id string) *held {
	for i := range b.Contacts {
		if h := &b.Contacts[i]; h.ID == id && h.live() {
			return h
		}
	}
	return nil
}

// barred reports whether a contact was taken away by a member of staff lately: a stolen telephone says no more that it was not its
// owner.
func (b *book) barred(id string) bool {
	return slices.ContainsFunc(b.Contacts, func(h held) bool { return h.ID == id && h.Barred != "" })
}

// waits returns which pending contact has an id, -1 if none; one whose time is over is none.
func (b *book) waits(id string, now time.Time) int {
	return slices.IndexFunc(b.Pending, func(p unproved) bool { return p.ID == id && now.Before(p.Expires) })
}

// tidy drops what says nothing any more.
func (b *book) tidy(now time.Time) {
	past := func(t time.Time) bool { return !now.Before(t.Add(late)) }
	b.Pending = slices.DeleteFunc(b.Pending, func(p unproved) bool { return past(p.Expires) })
	b.Mail = slices.DeleteFunc(b.Mail, func(m note) bool { return !now.Before(m.Expires) })
	b.Changes = slices.DeleteFunc(b.Changes, func(c bookChange) bool { return past(c.Until) })
	b.Contacts = slices.DeleteFunc(b.Contacts, func(h held) bool {
		return !h.live() && !now.Before(h.Told) && !slices.ContainsFunc(b.Changes, func(c bookChange) bool {
			return !c.Undone && slices.Contains(c.Before, h.ID) || c.counts() && slices.Contains(c.New, h.ID)
		})
	})
}

// keep returns until when the record is kept: for ever, unless the subject has no contact.
func (b *book) keep(now time.Time) time.Time {
	if len(b.live()) > 0 {
		return time.Time{}
	}
	until := now
	for _, p := range b.Pending {
		until = later(until, p.Expires)
	}
	for _, c := range b.Changes {
		until = later(until, c.Until)
	}
	for _, m := range b.Mail {
		until = later(until, m.Expires)
	}
	for _, h := range b.Contacts {
		until = later(until, h.Told)
	}
	return until.Add(late)
}
