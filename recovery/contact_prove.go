package recovery

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// ProveContact proves a contact by the token of the link that was sent there: whoever has it need not be logged in. The code of
// the same message, and all others that wait for this proof, end with it. The subject's other contacts are told, each with a
// link that undoes it ([Service.Disown]); a contact whose place it takes is told, too, and goes.
//
// Call it for a POST behind a button, never for a GET; [Service.Look] is for that. Errors: [ErrGone] for one that is unknown, was
// used or was given up; [ErrExpired]; [ErrContacts] if the address has become a contact in another way; a *[lockout.LockedError]
// if too many changes can still be undone; the store's: it may have been proved, and ErrGone then says so.
func (s *Service) ProveContact(ctx context.Context, tok civicpin.Secret, source civicpin.Source) error {
	t, err := parseToken(tok)
	if err != nil {
		return err
	}
	if t.kind != contactToken {
		return ErrGone
	}
	subject, err := s.pointed(ctx, t)
	if err != nil {
		return err
	}
	return s.accept(ctx, subject, source, func(b *book, now time.Time) (int, error) { return b.token(t, now) })
}

// token returns which pending contact a token proves. Only who has the whole token is told that it is late.
func (b *book) token(t token, now time.Time) (int, error) {
	for i := range b.Pending {
		p := &b.Pending[i]
		if p.ID != t.selector {
			continue
		}
		for _, l := range p.Links {
			if l.N != t.n || len(l.Hash) == 0 || !t.fits(l.Hash) {
				continue
			}
			if !now.Before(l.Expires) {
				return -1, ErrExpired
			}
			return i, nil
		}
	}
	return -1, ErrGone
}

// ProveCode proves a contact by the code that was sent there, typed by the authenticated citizen, or to the member of staff who
// gave the address. Wrong codes are counted for the subject, over all addresses and messages: five lock for 15 minutes and longer.
// [Service.AdoptContacts] by staff ends such a lock, and a disablement. What ProveContact says holds here, too.
//
// Errors: [ErrRefused] for a wrong code, or if nothing waits; a *[lockout.LockedError]; [ErrBusy]; otherwise those of ProveContact.
func (s *Service) ProveCode(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret, source civicpin.Source) error {
	if err := subject.Validate(); err != nil {
		return err
	}
	why := ""
	err := s.proofs.Do(ctx, lockout.Key{Subject: subject, Source: source}, func(ctx context.Context) (bool, error) {
		b, err := s.book(ctx, subject)
		if err != nil {
			return false, err
		}
		text, _ := code.Unambiguous.Normalise(typed.Reveal())
		id, l := s.coded(subject, b, text)
		switch {
		case l == nil && len(b.Contacts)+len(b.Pending) == 0:
			why = "unknown"
			return false, lockout.ErrNoSubject
		case l == nil:
			why = "wrong"
			return false, nil
		}
		if err := s.accept(ctx, subject, source, func(b *book, now time.Time) (int, error) {
			i := b.waits(id, now)
			switch {
			case !now.Before(l.Expires): // right, so no failure; but no success, which would reset the count
				return -1, ErrExpired
			case i < 0 || !slices.ContainsFunc(b.Pending[i].Links, func(other link) bool { return other.N == l.N }):
				return -1, ErrGone
			}
			return i, nil
		}); err != nil {
			return false, err
		}
		return true, nil
	})
	if err != nil {
		s.vault.Record(ctx, civicpin.Event{
			Code: eventRefused, Subject: subject, By: civicpin.Citizen, Source: source, Ref: "contacts", Reason: refusal(err, why),
		})
	}
	return err
}

// coded returns what a typed code proves: the id of the pending contact, and which message it was in. All are compared.
func (s *Service) coded(subject civicpin.Subject, b *book, text string) (id string, found *link) {
	for i := range b.Pending {
		p := &b.Pending[i]
		for j := range p.Links {
			l := &p.Links[j]
			if subtle.ConstantTimeCompare(s.proofTag(subject, p, l, text), l.Tag) == 1 && text != "" {
				id, found = p.ID, l
			}
		}
	}
	return id, found
}

// accept makes a contact of the pending one that which finds by its proof. It is the only place that does.
func (s *Service) accept(ctx context.Context, subject civicpin.Subject, source civicpin.Source, which func(*book, time.Time) (int, error)) error {
	change := newID()
	var by civicpin.Actor
	reason := ""
	err := s.alter(ctx, subject, civicpin.Citizen, func(b *book, now time.Time) (effects, error) {
		i, err := which(b, now)
		if err != nil {
			return effects{}, err
		}
		p := b.Pending[i]
		b.Pending = slices.Delete(b.Pending, i, i+1)
		to := contact(p.To)
		if err := b.fits(to.contact(), p.Replaces); err != nil {
			return effects{}, err
		}
		what := changeAdded
		if p.Replaces != "" {
			what = changeChanged
		}
		by, reason = p.By, what+" "+string(to.Channel)
		told := b.told(now)
		c, err := b.open(change, what, p.By, now, now.Add(s.config.Contacts.Undo), 0)
		if err != nil {
			return effects{}, err
		}
		var gone []string
		if p.Replaces != "" {
			gone = []string{p.Replaces}
		}
		h := held{ID: p.ID, To: to}
		if !p.First {
			h.Cooling = s.cools(p.By, now, c.Until)
		}
		return s.bring(b, c, h, gone, told, now), nil
	})
	if err == nil {
		s.wrote(ctx, subject, by, source, change, reason)
	}
	return err
}

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
	err := s.alter(ctx, subject, by, func(b *book, now time.Time) (effects, error) {
		reason = ""
		given := contact(*to)
		if b.find(change) >= 0 || b.same(given.contact()) != nil {
			return effects{}, store.ErrSkip
		}
		var gone []string
		for _, h := range b.live() {
			if h.To.Channel == to.Channel || h.To.contact().SameAddress(given.contact()) {
				gone = append(gone, h.ID)
			}
		}
		what := changeAdded
		if len(gone) > 0 {
			what = changeChanged
		} else if err := b.fits(given.contact(), ""); err != nil {
			return effects{}, err
		}
		reason = what + " " + string(to.Channel) + " by a recovery"
		first, told := b.fresh(), b.told(now)
		// The recovery counts as the citizen's whoever of staff took part: they saw the citizen, not the address.
		c, err := b.open(change, what, civicpin.Citizen, now, later(now.Add(s.config.Contacts.Undo), undo), maxChanges)
		if err != nil {
			return effects{}, err
		}
		h := held{ID: newID(), To: given}
		if !first {
			h.Cooling = s.cools(civicpin.Citizen, now, c.Until)
		}
		return s.bring(b, c, h, gone, told, now), nil
	})
	if err == nil && reason != "" {
		s.wrote(ctx, subject, by, source, change, reason)
	}
	return err
}
