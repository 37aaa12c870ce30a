package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// cools returns until when a contact that somebody brings cools down. One that staff brought does not.
func (s *Service) cools(by civicpin.Actor, now, undo time.Time) time.Time {
	if by.IsOperator() {
		return time.Time{}
	}
	return later(now.Add(s.config.Contacts.CoolDown), undo)
}

// bring puts a contact into the book, within a change, in the place of others.
func (s *Service) bring(b *book, c *bookChange, h held, gone []string, told []held, now time.Time) effects {
	h.Since = now
	lead := ""
	for _, id := range gone {
		if id == b.Primary {
			lead = h.ID
		}
	}
	b.Contacts = append(b.Contacts, h)
	c.New = append(c.New, h.ID)
	for _, id := range gone {
		b.take(id, c, now, s.config.Contacts.Undo)
	}
	b.lead(lead)
	fx := b.announce(c, told, now)
	if h.cooling(now) {
		fx.lowered = h.Cooling
	}
	return fx
}

// AdoptContacts takes contacts that the caller vouches for: a member of staff has seen them (by names that one), another register
// knows them, or, by Citizen, a PIN was exchanged of which each half had gone to one. They are proved at once; those that wait for
// their proof at these addresses need none any more. Contacts that staff bring do not cool down, and end the cooling down of
// equal ones; they also end the lock of wrong codes ([Service.ProveCode]). Those that are the subject's already stay.
//
// The contacts that there were are told, with a way to undo it, as in [Service.ProveContact]. Errors: [civicpin.ErrInvalid], also for
// two of one address; [ErrContacts] if there would be more than eight, or an address is a contact on another channel; a
// *[lockout.LockedError] if too many changes can still be undone; the store's: call again.
func (s *Service) AdoptContacts(ctx context.Context, subject civicpin.Subject, contacts []civicpin.Contact, by civicpin.Actor,
	source civicpin.Source,
) error {
	for i, to := range contacts {
		if err := checkContact(subject, to, by); err != nil {
			return err
		}
		if slices.ContainsFunc(contacts[:i], to.SameAddress) {
			return fmt.Errorf("%w: two contacts of one address", civicpin.ErrInvalid)
		}
	}
	if len(contacts) == 0 || len(contacts) > maxContacts {
		return fmt.Errorf("%w: not 1 to %d contacts", civicpin.ErrInvalid, maxContacts)
	}
	change, reason := newID(), ""
	err := s.alter(ctx, subject, by, func(b *book, now time.Time) (effects, error) {
		var err error
		var fx effects
		fx, reason, err = s.vouch(b, change, contacts, by, now)
		return fx, err
	})
	if err == nil && by.IsOperator() {
		err = s.proofs.Rebind(ctx, lockout.Key{Subject: subject}, by)
	}
	if err == nil && reason != "" {
		s.wrote(ctx, subject, by, source, change, reason)
	}
	return err
}

// vouch puts contacts into the book that somebody vouches for.
func (s *Service) vouch(b *book, change string, contacts []civicpin.Contact, by civicpin.Actor, now time.Time) (effects, string, error) {
	var fx effects
	var c *bookChange
	first, told, reason := b.fresh(), b.told(now), ""
	warmed := false
	for _, to := range contacts {
		if h := b.same(to); h != nil {
			if by.IsOperator() && h.cooling(now) {
				h.Cooling, warmed = now, true
				reason += " seen " + string(to.Channel)
			}
			continue
		}
		if err := b.fits(to, ""); err != nil {
			return fx, "", err
		}
		if c == nil {
			var err error
			if c, err = b.open(change, changeAdded, by, now, now.Add(s.config.Contacts.Undo), 0); err != nil {
				return fx, "", err
			}
		}
		h := held{ID: newID(), To: stored(to), Since: now}
		if !first {
			h.Cooling = s.cools(by, now, c.Until)
		}
		b.Pending = slices.DeleteFunc(b.Pending, func(p unproved) bool {
			waiting := contact(p.To)
			return p.Replaces == "" && waiting.contact().SameAddress(to)
		})
		b.Contacts = append(b.Contacts, h)
		c.New = append(c.New, h.ID)
		b.lead("")
		reason += " adopted " + string(to.Channel)
	}
	if c == nil && !warmed {
		return fx, "", store.ErrSkip
	}
	if c == nil {
		return fx, reason[1:], nil
	}
	fx = b.announce(c, told, now)
	for i := range b.Contacts {
		if h := &b.Contacts[i]; slices.Contains(c.New, h.ID) && h.cooling(now) {
			fx.lowered = h.Cooling
		}
	}
	return fx, reason[1:], nil
}

// same returns the subject's contact of a channel and address, nil if there is none.
func (b *book) same(to civicpin.Contact) *held {
	for _, h := range b.live() {
		if h.To.Channel == to.Channel && h.To.contact().SameAddress(to) {
			return h
		}
	}
	return nil
}

// adopt makes a contact of an address that a visitor gave in a recovery and proved by its token, once the recovery is completed:
// in the place of those of its channel, and cooling down. change names it; done twice it changes nothing. It can be undone until
// undo, as long as the recovery itself can be disowned.
func (s *Service) adopt(ctx context.Context, subject civicpin.Subject, change string, to *pendingContact, by civicpin.Actor,
	source civicpin.Source, undo time.Time,
) error {
	if to == nil {
		return nil
	}
	reason := ""
	err := s.alter(ctx, subject, by, func(b *book, now time.Time) (fx effects, err error) {
		fx, reason, err = s.corrected(b, change, contact(*to), undo, now)
		return fx, err
	})
	if err == nil && reason != "" {
		s.wrote(ctx, subject, by, source, change, reason)
	}
	return err
}

// corrected puts an address into the book that a recovery brought.
func (s *Service) corrected(b *book, change string, given contact, undo, now time.Time) (effects, string, error) {
	if b.find(change) >= 0 || b.same(given.contact()) != nil {
		return effects{}, "", store.ErrSkip
	}
	gone, err := b.displaced(given)
	if err != nil {
		return effects{}, "", err
	}
	what := changeAdded
	if len(gone) > 0 {
		what = changeChanged
	}
	first, told := b.fresh(), b.told(now)
	// The recovery counts as the citizen's whoever of staff took part: they saw the citizen, not the address.
	c, err := b.open(change, what, civicpin.Citizen, now, later(now.Add(s.config.Contacts.Undo), undo), maxChanges)
	if err != nil {
		return effects{}, "", err
	}
	h := held{ID: newID(), To: given}
	if !first {
		h.Cooling = s.cools(civicpin.Citizen, now, c.Until)
	}
	return s.bring(b, c, h, gone, told, now), what + " " + string(given.Channel) + " by a recovery", nil
}

// displaced returns whose place an address takes that a recovery brings: the contacts of its channel, and of its address. It gives
// ErrContacts if there are none and the book is full.
func (b *book) displaced(given contact) ([]string, error) {
	var gone []string
	for _, h := range b.live() {
		if h.To.Channel == given.Channel || h.To.contact().SameAddress(given.contact()) {
			gone = append(gone, h.ID)
		}
	}
	if len(gone) > 0 {
		return gone, nil
	}
	return nil, b.fits(given.contact(), "")
}
