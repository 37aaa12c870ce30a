package contact

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

type (
	book    = contactbook.Book
	effects = contactbook.Effects
)

// pointer leads from the selector of a token to its subject. It is written once and decides nothing.
type pointer struct {
	Subject civicpin.Subject `json:"subject" export:"subject"`
}

const maxRaces = 100 // changes of the same contacts that may overtake one

// alter lets act change the book of a request's subject, in one conditional write, and announces the messages of the change.
// Pointers of tokens come before, since they lead nowhere without it. So does the lower level, which then holds for a change
// that did not come about, too. act may be called several times. store.ErrSkip from it ends alter without a write or error.
func (s *Service) alter(ctx context.Context, r outbox.Request, act func(*book, time.Time) (effects, error)) error {
	for range maxRaces {
		e, err := s.books.Get(ctx, store.Key{Subject: r.Subject})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := s.judge(ctx, r.Subject, &e.Value); err != nil {
			return err
		}
		now := s.vault.Now()
		e.Value.Tidy(now)
		before := e.Value.Sound()
		fx, err := act(&e.Value, now)
		if errors.Is(err, store.ErrSkip) {
			return nil
		}
		if err != nil {
			return limited(err)
		}
		fx.Went = e.Value.Went(before)
		if err := s.prepare(ctx, r.Subject, r.By, fx); err != nil {
			return err
		}
		e.Value.Enqueue(fx.Notes)
		e.ExpiresAt = e.Value.Keep(now)
		r.Refs = refs(r.Subject, fx.Notes)
		raced := false
		err = s.out.Announce(ctx, r, func(ctx context.Context) error {
			err := s.books.Put(ctx, &e)
			raced = errors.Is(err, store.ErrConflict)
			return err
		})
		if !raced {
			return errors.Join(err, s.settle(ctx, e, err))
		}
		r.Limit = nil // it is counted
	}
	return store.ErrContended
}

// settle has a contact that counts at once be settled, if no act upon the credential came before it was written.
func (s *Service) settle(ctx context.Context, e store.Entry[book], err error) error {
	if err != nil || !e.Value.Unsettled(s.vault.Now()) {
		return nil
	}
	_, err = s.books.UpdateFrom(ctx, e, func(e *store.Entry[book]) error { return s.judge(ctx, e.Key.Subject, &e.Value) })
	return err
}

// act is alter for what is told in an event: change names it, and the reason says what was done. Without one nothing is
// written.
func (s *Service) act(ctx context.Context, subject civicpin.Subject, change string, by civicpin.Actor, source civicpin.Source,
	do func(*book, contactbook.Act) (effects, string, error),
) error {
	r, reason := outbox.Request{Subject: subject, By: by, Source: source}, ""
	err := s.alter(ctx, r, func(b *book, now time.Time) (fx effects, err error) {
		fx, reason, err = do(b, contactbook.Act{ID: change, By: by, Now: now})
		if err == nil && reason == "" {
			err = store.ErrSkip
		}
		return fx, err
	})
	if err == nil && reason != "" {
		s.vault.Record(ctx, civicpin.Event{Code: eventChanged, Subject: subject, By: by, Source: source, Ref: change, Reason: reason})
	}
	return err
}

// prepare does what comes before the write of a book: if the change does not come about, what rested on a contact ended all
// the same.
func (s *Service) prepare(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, fx effects) error {
	if to := s.policy.LowerTo; to != nil && !fx.Lowered.IsZero() {
		err := s.credentials.LowerLevel(ctx, subject, *to, fx.Lowered, "contacts changed", by)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("contact: lower the level: %w", err)
		}
	}
	if s.credentials != nil && (len(fx.Went) > 0 || !fx.Undone.IsZero()) {
		err := s.credentials.ContactsWent(ctx, subject, fx.Went, fx.Undone, by)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("contact: what rests on contacts: %w", err)
		}
	}
	if fx.Pointer == "" {
		return nil
	}
	_, err := s.pointers.Update(ctx, store.Key{ID: fx.Pointer}, func(e *store.Entry[pointer]) error {
		if e.Found() && e.Value.Subject != subject {
			return ErrGone // impossible: ids are drawn at random
		}
		e.Value.Subject, e.ExpiresAt = subject, fx.Until.Add(contactbook.Late)
		return nil
	})
	return err
}

// pointed reads a token of one of the kinds, and returns its subject. That its selector is known says nothing of the token.
func (s *Service) pointed(ctx context.Context, tok civicpin.Secret, kinds ...token.Kind) (
	token.Token, civicpin.Subject, error,
) {
	t, err := token.Parse(tok, kinds...)
	if err != nil {
		return t, "", err
	}
	e, err := s.pointers.Get(ctx, store.Key{ID: t.Selector})
	if errors.Is(err, store.ErrNotFound) {
		return t, "", ErrGone
	}
	return t, e.Value.Subject, err
}
