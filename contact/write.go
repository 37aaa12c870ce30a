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

// alter lets act change a subject's book, in one conditional write. What has to be there when the change is, comes before it:
// the outbox's entries, of which those that no book confirms are dropped; the pointers of tokens, which lead nowhere without
// it; and the lower level, which then holds for a change that did not come about, too. act may be called several times.
// store.ErrSkip from it ends alter without a write and without an error.
func (s *Service) alter(ctx context.Context, subject civicpin.Subject, by civicpin.Actor,
	act func(*book, time.Time) (effects, error),
) error {
	var refs []outbox.Ref
	_, err := s.books.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[contactbook.Book]) error {
		refs = nil
		now := s.vault.Now()
		b := &e.Value
		b.Tidy(now)
		fx, err := act(b, now)
		if err != nil {
			return limited(err)
		}
		if refs, err = s.prepare(ctx, subject, by, fx); err != nil {
			return err
		}
		b.Enqueue(fx.Notes)
		e.Expires = b.Keep(now)
		return nil
	})
	if err != nil {
		return err
	}
	return s.out.Commit(ctx, refs...)
}

// act is alter for what is told in an event: change names it, and the reason says what was done. Without one nothing is
// written.
func (s *Service) act(ctx context.Context, subject civicpin.Subject, change string, by civicpin.Actor, source civicpin.Source,
	do func(*book, contactbook.Act) (effects, string, error),
) error {
	reason := ""
	err := s.alter(ctx, subject, by, func(b *book, now time.Time) (fx effects, err error) {
		fx, reason, err = do(b, contactbook.Act{ID: change, By: by, Now: now})
		if err == nil && reason == "" {
			err = store.ErrSkip
		}
		return fx, err
	})
	if err == nil && reason != "" {
		s.record(ctx, subject, by, source, change, reason)
	}
	return err
}

// prepare does what comes before the write of a book.
func (s *Service) prepare(ctx context.Context, subject civicpin.Subject, by civicpin.Actor,
	fx effects,
) ([]outbox.Ref, error) {
	if to := s.policy.LowerTo; to != nil && !fx.Lowered.IsZero() {
		err := s.credentials.LowerLevel(ctx, subject, *to, fx.Lowered, "contacts changed", by)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			if errors.Is(err, store.ErrSkip) { // to Update it would mean success
				err = fmt.Errorf("contact: lower the level: %v", err)
			}
			return nil, err
		}
	}
	if fx.Pointer != "" {
		_, err := s.pointers.Update(ctx, store.Key{ID: fx.Pointer}, func(e *store.Entry[pointer]) error {
			if e.Found() && e.Value.Subject != subject {
				return ErrGone // impossible: ids are drawn at random
			}
			e.Value.Subject, e.Expires = subject, fx.Until.Add(contactbook.Late)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var refs []outbox.Ref
	for i := range fx.Notes {
		refs = append(refs, noteRef(subject, &fx.Notes[i]))
	}
	return refs, s.out.Add(ctx, refs...)
}

// pointed returns the subject of a token. That its selector is known says nothing of the token itself.
func (s *Service) pointed(ctx context.Context, t token.Token) (civicpin.Subject, error) {
	e, err := s.pointers.Get(ctx, store.Key{ID: t.Selector})
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrGone
	}
	return e.Value.Subject, err
}
