package contact

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
)

// A Purpose says what a link does, and so which call takes it.
type Purpose string

// The purposes of links.
const (
	ToProve Purpose = "prove" // proves a contact: [Service.Prove]
	ToUndo  Purpose = "undo"  // undoes a change of contacts: [Service.Undo]
)

// A LinkInfo says what a link is for. It is package recovery's, too, so that a portal has one page behind the links of both;
// this package leaves Plan and Last zero.
type LinkInfo struct {
	Purpose   Purpose   // which call takes it
	Plan      string    // the name of the recovery plan, for a run
	Last      bool      // recovery.Service.Finish completes the plan; otherwise Redeem leads to its next step
	Sent      string    // where it was sent, masked
	ExpiresAt time.Time // when it stops being good
}

// Inspect says what a token is for, and changes nothing: any number of mail scanners may open a link. Errors:
//   - [ErrGone]: the token is unknown, was used or was given up.
//   - [ErrExpired]: the token is right, and too late.
func (s *Service) Inspect(ctx context.Context, tok civicpin.Secret) (LinkInfo, error) {
	t, subject, err := s.pointed(ctx, tok, token.Undo, token.Contact)
	if err != nil {
		return LinkInfo{}, err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return LinkInfo{}, err
	}
	now := s.vault.Now()
	if t.Kind == token.Undo {
		k, to, err := b.Repudiated(t, now)
		if err != nil {
			return LinkInfo{}, err
		}
		return LinkInfo{Purpose: ToUndo, Sent: to.Contact().Masked(), ExpiresAt: b.Changes[k].Until}, nil
	}
	_, l, err := b.ByToken(t, now)
	if err != nil {
		return LinkInfo{}, err
	}
	return LinkInfo{Purpose: ToProve, Sent: l.To.Contact().Masked(), ExpiresAt: l.Expires}, nil
}
