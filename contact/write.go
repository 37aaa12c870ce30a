package recovery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// maxAlter bounds how often a change of a book is tried again because somebody else changed it.
const maxAlter = 100

// effects are what goes with a change of a book.
type effects struct {
	notes []note // to be sent
	// pointer is the selector of new tokens, which are good until a time; empty if there are none.
	pointer string
	until   time.Time
	// lowered is until when the level counts as lower; zero if it does not.
	lowered time.Time
}

// alter lets act change a subject's book, in one conditional write. What has to be there when the change is, comes before it:
// the outbox's entries, of which those that no book confirms are dropped; the pointers of tokens, which lead nowhere without it;
// and the lower level, which then holds for a change that did not come about, too. act may be called several times. store.ErrSkip
// from it ends alter without a write and without an error.
func (s *Service) alter(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, act func(*book, time.Time) (effects, error)) error {
	for try := range maxAlter {
		e, err := s.books.Get(ctx, store.Key{Subject: subject})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		now := s.vault.Now()
		b := &e.Value
		b.tidy(now)
		fx, err := act(b, now)
		if errors.Is(err, store.ErrSkip) {
			return nil
		}
		if err != nil {
			return err
		}
		refs, err := s.prepare(ctx, subject, by, fx)
		if err != nil {
			return err
		}
		b.Mail = append(b.Mail, fx.notes...)
		b.shed()
		e.Expires = b.keep(now)
		err = s.books.Put(ctx, &e)
		if err == nil {
			return s.out.Commit(ctx, refs...)
		}
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		wait := time.NewTimer(rand.N(time.Millisecond << min(try+1, 4)))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
	}
	return store.ErrContended
}

// prepare does what comes before the write of a book.
func (s *Service) prepare(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, fx effects) ([]outbox.Ref, error) {
	if to := s.config.Contacts.LowerTo; to != nil && !fx.lowered.IsZero() {
		err := s.config.Pins.LowerLevel(ctx, subject, *to, fx.lowered, "contacts changed", by)
		if err != nil && !errors.Is(err, pin.ErrNoCredential) {
			return nil, err
		}
	}
	if fx.pointer != "" {
		_, err := s.pointers.Update(ctx, store.Key{ID: fx.pointer}, func(e *store.Entry[pointer]) error {
			if e.Found() && e.Value.Subject != subject {
				return ErrGone // cannot be: ids are drawn at random
			}
			e.Value.Subject, e.Expires = subject, fx.until.Add(late)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var refs []outbox.Ref
	for i := range fx.notes {
		refs = append(refs, noteRef(subject, fx.notes[i].Name))
	}
	return refs, s.out.Add(ctx, refs...)
}

// pointed returns whose a token of contacts is. That its selector is known says nothing of the token itself.
func (s *Service) pointed(ctx context.Context, t token) (civicpin.Subject, error) {
	e, err := s.pointers.Get(ctx, store.Key{ID: t.selector})
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrGone
	}
	return e.Value.Subject, err
}
