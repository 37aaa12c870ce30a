package recovery

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/pin"
)

// Redeem proves, with a link that was sent, that its message was read; it ends all links and codes of the step. From then on
// the run is in the hands of the link's holder: Run.Ticket is a new one, and the old one leads nowhere, since the visitor who
// started the run may have been a stranger. For a link at the plan's last step, [Service.Finish] does this and the rest.
//
// Call it for a POST behind a button, never for a GET. Errors:
//   - [ErrExpired]: the link is right, and too late. Begin again.
//   - [ErrGone]: the link is unknown or was used, or its recovery has ended.
//   - otherwise those of [Service.Answer].
func (s *Service) Redeem(ctx context.Context, tok civicpin.Secret, source civicpin.Source) (Run, error) {
	t, err := token.Parse(tok, token.Redeem)
	if err != nil {
		return Run{}, err
	}
	v, _, err := s.follow(ctx, t, source)
	if err != nil {
		return Run{}, err
	}
	ticket := token.New(token.Ticket, t.Selector, v.run().Tickets+1)
	step := v.run().Step
	err = v.advance(ctx, step+1, func(r *run, now time.Time) error {
		i := r.Link(t)
		if i < 0 {
			return ErrGone
		}
		if !now.Before(r.Links[i].Expires) {
			return ErrExpired
		}
		r.Proved(r.Links[i].To)
		r.Tickets++
		r.Ticket = ticket.Hash()
		return nil
	})
	if err != nil {
		return Run{}, recoveryrun.Gone(err)
	}
	v.record(ctx, recoveryrun.EventStep, v.way.Describe(step))
	err = v.arrive(ctx)
	shown := v.view()
	shown.Ticket = ticket.Text()
	return shown, err
}

// alive returns [ErrGone] if an act since the run began has ended what of it lives reports on. It is asked before the run
// becomes what outlives that.
func (v *visit) alive(ctx context.Context, lives func(*pin.Mark, *contact.Snapshot) bool) error {
	mark, err := v.config.Pins.Mark(ctx, v.run().Subject)
	if err != nil {
		return err
	}
	contacts, err := v.config.Contacts.Snapshot(ctx, v.run().Subject)
	if err == nil && !lives(&mark, contacts) {
		err = ErrGone
	}
	return err
}
