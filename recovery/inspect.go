package recovery

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/token"
)

// A Purpose says what a link does, and so which call takes it.
type Purpose = contact.Purpose

// The purposes of links.
const (
	ToRecover   Purpose = "recover"       // goes on with a recovery: [Service.Finish] if Inspection.Last, else [Service.Redeem]
	ToRepudiate Purpose = "disown"        // repudiates a recovery: [Service.Repudiate]
	ToProve     Purpose = contact.ToProve // proves a contact: contact.Service.Prove
	ToUndo      Purpose = contact.ToUndo  // undoes a change of contacts: [Service.Repudiate], which passes it on
)

// An Inspection says what a link is for.
type Inspection struct {
	What    Purpose
	Plan    string // its name, for a run
	Last    bool   // Finish completes the plan; otherwise Redeem leads to its next step
	Sent    string // where it was sent, masked
	Expires time.Time
}

// Inspect says what a token is for, and changes nothing: any number of mail scanners may open a link. It passes the tokens of
// package contact on, so that a portal has one landing page. Errors:
//   - [ErrGone]: the token is unknown or was used, or its recovery has ended.
//   - [ErrExpired]: the token is right, and too late.
func (s *Service) Inspect(ctx context.Context, tok civicpin.Secret) (Inspection, error) {
	t, err := token.Parse(tok)
	if err != nil {
		return Inspection{}, err
	}
	switch t.Kind {
	case token.Redeem:
		v, l, err := s.follow(ctx, t, civicpin.Source{})
		if err != nil {
			return Inspection{}, err
		}
		// Another recovery, or the citizen's own change, may have ended this one.
		mark, err := s.config.Pins.Mark(ctx, v.run().Subject)
		if err != nil {
			return Inspection{}, err
		}
		if mark.Epoch != v.run().Epoch {
			return Inspection{}, ErrGone
		}
		return Inspection{
			What: ToRecover, Plan: v.way.Name, Last: v.way.Last(v.run().Step), Sent: l.To.Contact().Masked(), Expires: l.Expires,
		}, nil
	case token.Disown:
		v, d, err := s.repudiated(ctx, t)
		if err != nil {
			return Inspection{}, err
		}
		return Inspection{What: ToRepudiate, Plan: v.run().Plan, Expires: d.Expires}, nil
	case token.Contact, token.Undo:
		i, err := s.config.Contacts.Inspect(ctx, tok)
		return Inspection{What: i.What, Sent: i.Sent, Expires: i.Expires}, err
	}
	return Inspection{}, ErrGone
}
