package contact

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store"
)

// Undo undoes the change of contacts that a token is about, and all changes after it but an operator's. It ends the recoveries
// under way, and stops the credential if Policy.SuspendOnUndo is set. The addresses that the change brought and took away are
// disputed then, and each address undoes once: see [Policy]. A later link of the same address, or of a disputed one, undoes and
// stops nothing: all contacts are told of it, and what the change brought is disputed, too, unless the address is. Call it for
// a POST behind a button, never a GET. Errors:
//   - [ErrGone]: the token is unknown or was used, or its contact was removed by an operator since.
//   - [ErrExpired]: the token is right, and too late.
func (s *Service) Undo(ctx context.Context, tok civicpin.Secret, source civicpin.Source) error {
	t, subject, err := s.pointed(ctx, tok, token.Undo)
	if err = errors.Join(source.Validate(), err); err != nil {
		return err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return err
	}
	// First, since afterwards the token would be used up: after a crash it works once more.
	if s.policy.SuspendOnUndo && b.Undoes(t, s.vault.Now()) {
		err := s.credentials.Stop(ctx, subject, "undone by a contact", civicpin.Citizen)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("contact: stop: %w", err)
		}
	}
	undo := token.NewID()
	return s.act(ctx, subject, t.Selector, civicpin.Citizen, source, func(b *book, a contactbook.Act) (effects, string, error) {
		return b.Undo(t, undo, a.Now, s.policy.book())
	})
}
