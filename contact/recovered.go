package contact

import (
	"context"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// Recovered keeps the address that a completed recovery corrected, in the place of those of its channel and cooling down, or
// undoes that if the recovery was repudiated: with every change of the citizen since, and every contact since that no operator
// has seen, unless the recovery ended in an unlock. Done twice it changes nothing. Only package recovery can make a proof.
// Errors:
//   - [civicpin.ErrInvalid]: the proof is empty, or not one of package recovery.
//   - [ErrUnsuitable], a *[lockout.LockedError]: there is no room for the contact or the change.
//   - [ErrGone]: an act upon the contacts that ends grants came first.
func (s *Service) Recovered(ctx context.Context, p proof.Completed) error {
	if !p.Sealed() {
		return fmt.Errorf("%w: not a proof of package recovery", civicpin.ErrInvalid)
	}
	if p.Run == "" || !p.Repudiated && (p.Change == "" || p.Corrected == (civicpin.Contact{})) {
		return fmt.Errorf("%w: an empty proof", civicpin.ErrInvalid)
	}
	by, undo := p.By, token.NewID()
	if p.Repudiated {
		by = civicpin.Citizen
	}
	return s.act(ctx, p.Subject, p.Change, by, p.Source, func(b *book, a contactbook.Act) (effects, string, error) {
		if p.Repudiated {
			if p.Unlock {
				return b.UndoChange(p.Change, undo, a.Now, s.policy.book())
			}
			return b.UndoSince(p.Change, undo, p.Finished, a.Now, s.policy.book())
		}
		// The grant names the epoch after this change alone. Another act before it could make up for what this one then leaves out.
		if p.Since != nil && b.Find(p.Change) < 0 && b.Acts.Epoch(waits.Grant) != *p.Since {
			return effects{}, "", ErrGone
		}
		return b.Correct(p.Change, letter.Stored(p.Corrected), p.Creates, p.Undo, a.Now, s.policy.book())
	})
}
