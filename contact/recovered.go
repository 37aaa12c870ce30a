package contact

import (
	"context"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/store"
)

// Recovered keeps the address that a completed recovery corrected: in the place of those of its channel, and cooling down. Where the
// recovery was repudiated, it undoes that change. Done twice it changes nothing. It is for package recovery: nobody else can make a
// proof. Errors:
//   - [civicpin.ErrInvalid]: the proof is empty, or not one of package recovery.
//   - [ErrUnsuitable], a *[lockout.LockedError]: there is no room for the contact or the change.
//   - the store's: call again.
func (s *Service) Recovered(ctx context.Context, p proof.Completed) error {
	if !p.Sealed() {
		return fmt.Errorf("%w: not a proof of package recovery", civicpin.ErrInvalid)
	}
	if err := p.Subject.Validate(); err != nil {
		return err
	}
	if p.Change == "" || p.Run == "" || p.Corrected == (civicpin.Contact{}) && !p.Repudiated {
		return fmt.Errorf("%w: an empty proof", civicpin.ErrInvalid)
	}
	if p.Repudiated {
		return s.back(ctx, p.Subject, p.Change, p.Source, func(b *contactbook.Book, now time.Time) (int, error) {
			k := b.CanUndo(p.Change, now)
			if k < 0 {
				return k, store.ErrSkip
			}
			return k, nil
		})
	}
	reason := ""
	err := s.alter(ctx, p.Subject, p.By, func(b *contactbook.Book, now time.Time) (fx contactbook.Effects, err error) {
		fx, reason, err = b.Correct(p.Change, letter.Stored(p.Corrected), p.Undo, now, s.policy.book())
		if err == nil && reason == "" {
			err = store.ErrSkip
		}
		return fx, err
	})
	if err == nil && reason != "" {
		s.record(ctx, p.Subject, p.By, p.Source, p.Change, reason)
	}
	return err
}
