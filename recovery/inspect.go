package recovery

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/token"
)

// A Purpose says what a link does, and so which call takes it.
type Purpose = contact.Purpose

// The purposes of links.
const (
	ToRecover   Purpose = "recover"       // goes on with a recovery: [Service.Finish] if LinkInfo.Last, else [Service.Redeem]
	ToRepudiate Purpose = "repudiate"     // repudiates a recovery: [Service.Repudiate]
	ToProve     Purpose = contact.ToProve // proves a contact: contact.Service.Prove
	ToUndo      Purpose = contact.ToUndo  // undoes a change of contacts: [Service.Repudiate], which passes it on
)

// A LinkInfo says what a link is for.
type LinkInfo = contact.LinkInfo

// Inspect says what a token is for, and changes nothing: any number of mail scanners may open a link. It passes the tokens of
// package contact on, so that a portal has one landing page. Errors:
//   - [ErrGone]: the token is unknown or was used, or its recovery has ended.
//   - [ErrExpired]: the token is right, and too late.
func (s *Service) Inspect(ctx context.Context, tok civicpin.Secret) (LinkInfo, error) {
	t, err := token.Parse(tok)
	if err != nil {
		return LinkInfo{}, err
	}
	switch t.Kind {
	case token.Redeem:
		v, l, err := s.follow(ctx, t, civicpin.Source{})
		if err != nil {
			return LinkInfo{}, err
		}
		// Another recovery, or the citizen's own change, may have ended this one.
		if err := v.alive(ctx, v.run().Lives); err != nil {
			return LinkInfo{}, err
		}
		return LinkInfo{
			Purpose: ToRecover, Plan: v.way.Name, Last: v.way.Last(v.run().Step), Sent: l.To.Contact().Masked(), ExpiresAt: l.Expires,
		}, nil
	case token.Repudiate:
		v, d, err := s.repudiated(ctx, t)
		if err != nil {
			return LinkInfo{}, err
		}
		return LinkInfo{Purpose: ToRepudiate, Plan: v.run().Plan, ExpiresAt: d.Expires}, nil
	case token.Contact, token.Undo:
		return s.config.Contacts.Inspect(ctx, tok)
	}
	return LinkInfo{}, ErrGone
}
