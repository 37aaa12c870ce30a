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
)

// Undo undoes the change of contacts that a token is about, and all changes after it, but for what an operator did since. It ends
// the recoveries under way. With Policy.SuspendOnUndo it also stops the credential.
//
// Call it for a POST behind a button, never for a GET. Errors:
//   - [ErrGone]: the token is unknown or was used, or its contact was removed by an operator since.
//   - [ErrExpired]: the token is right, and too late.
//   - the store's: call again.
func (s *Service) Undo(ctx context.Context, tok civicpin.Secret, source civicpin.Source) error {
	t, err := token.Parse(tok)
	if err != nil {
		return err
	}
	if t.Kind != token.Undo {
		return ErrGone
	}
	subject, err := s.pointed(ctx, t)
	if err != nil {
		return err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return err
	}
	if _, _, err := b.Repudiated(t, s.vault.Now()); err != nil {
		return err
	}
	// First, since afterwards the token would be used up: after a crash it works once more.
	if s.policy.SuspendOnUndo {
		err := s.credentials.Stop(ctx, subject, "disowned by a contact", civicpin.Citizen)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("contact: stop: %w", err)
		}
	}
	return s.back(ctx, subject, t.Selector, source, func(b *contactbook.Book, now time.Time) (int, error) {
		k, _, err := b.Repudiated(t, now)
		return k, err
	})
}

// back rolls a book back to before a change.
func (s *Service) back(ctx context.Context, subject civicpin.Subject, change string, source civicpin.Source,
	which func(*contactbook.Book, time.Time) (int, error),
) error {
	done := false
	id := token.NewID()
	err := s.alter(ctx, subject, civicpin.Citizen, func(b *contactbook.Book, now time.Time) (contactbook.Effects, error) {
		done = false
		k, err := which(b, now)
		if err != nil {
			return contactbook.Effects{}, err
		}
		done = true
		return b.Undo(k, id, now, s.policy.book()), nil
	})
	if err == nil && done {
		s.record(ctx, subject, civicpin.Citizen, source, change, "undone")
	}
	return err
}
