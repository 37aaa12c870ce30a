package recovery

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// repudiated returns which change a token undoes, and where the token was sent.
func (b *book) repudiated(t token, now time.Time) (int, contact, error) {
	k := b.find(t.selector)
	if k < 0 {
		return -1, contact{}, ErrGone
	}
	for _, r := range b.Changes[k].Tokens {
		if r.N != t.n || !t.fits(r.Hash) {
			continue
		}
		if !now.Before(b.Changes[k].Until) {
			return -1, contact{}, ErrExpired
		}
		to := contact{}
		for i := range b.Contacts {
			if b.Contacts[i].ID == r.To {
				to = b.Contacts[i].To
			}
		}
		return k, to, nil
	}
	return -1, contact{}, ErrGone
}

// undo undoes the change that a token is about.
func (s *Service) undo(ctx context.Context, t token, source civicpin.Source) error {
	subject, err := s.pointed(ctx, t)
	if err != nil {
		return err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return err
	}
	if _, _, err := b.repudiated(t, s.vault.Now()); err != nil {
		return err
	}
	// First, since afterwards the token would be used up: after a crash it works once more.
	if s.config.Contacts.SuspendOnUndo {
		if err := s.stop(ctx, subject); err != nil {
			return err
		}
	}
	return s.back(ctx, subject, t.selector, source, func(b *book, now time.Time) (int, error) {
		k, _, err := b.repudiated(t, now)
		return k, err
	})
}

// undoChange undoes a change that a disowned recovery brought about, if it can still be undone. Done twice it changes nothing.
func (s *Service) undoChange(ctx context.Context, subject civicpin.Subject, change string, source civicpin.Source) error {
	return s.back(ctx, subject, change, source, func(b *book, now time.Time) (int, error) {
		k := b.find(change)
		if k < 0 || b.Changes[k].Undone || !now.Before(b.Changes[k].Until) {
			return -1, store.ErrSkip
		}
		return k, nil
	})
}

// back rolls a book back to before a change. Everybody is told, also those whom it removes, and nobody can undo it.
func (s *Service) back(ctx context.Context, subject civicpin.Subject, change string, source civicpin.Source, which func(*book, time.Time) (int, error)) error {
	done := false
	id := newID()
	err := s.alter(ctx, subject, civicpin.Citizen, func(b *book, now time.Time) (effects, error) {
		done = false
		k, err := which(b, now)
		if err != nil {
			return effects{}, err
		}
		tell := b.told(now)
		b.rollback(k, now)
		for _, h := range b.told(now) {
			if !slices.ContainsFunc(tell, func(other held) bool { return other.ID == h.ID }) {
				tell = append(tell, h)
			}
		}
		var fx effects
		for i, h := range tell {
			m := note{Of: id, For: h.ID}
			m.mail = mail{
				Name: id + "." + strconv.Itoa(i+1), Kind: changedMail, To: h.To, Expires: now.Add(s.config.Contacts.Undo), State: mailPending,
			}
			fx.notes = append(fx.notes, m)
		}
		done = true
		return fx, nil
	})
	if err == nil && done {
		s.wrote(ctx, subject, civicpin.Citizen, source, change, "undone")
	}
	return err
}

// lookContact is [Service.Look] for the tokens of contacts.
func (s *Service) lookContact(ctx context.Context, t token) (Look, error) {
	subject, err := s.pointed(ctx, t)
	if err != nil {
		return Look{}, err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return Look{}, err
	}
	now := s.vault.Now()
	if t.kind == undoToken {
		k, to, err := b.repudiated(t, now)
		if err != nil {
			return Look{}, err
		}
		return Look{What: "undo", Sent: to.contact().Masked(), Expires: b.Changes[k].Until}, nil
	}
	i, err := b.token(t, now)
	if err != nil {
		return Look{}, err
	}
	p := &b.Pending[i]
	to := contact(p.To)
	look := Look{What: "contact", Sent: to.contact().Masked()}
	for _, l := range p.Links {
		if l.N == t.n {
			look.Expires = l.Expires
		}
	}
	return look, nil
}
