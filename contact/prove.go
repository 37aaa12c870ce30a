package recovery

import (
	"context"
	"crypto/subtle"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/lockout"
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
