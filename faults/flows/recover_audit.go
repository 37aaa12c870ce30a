package flows

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// again tries everything that a recovery has spent. None of it is good a second time: neither what was acknowledged, nor what
// was once said to be gone.
func (r *recoverer) again(ctx context.Context, c *forgetful, w *walk) {
	try := func(what string, done bool, err error) {
		switch {
		case done:
			r.journal.Break("recover %s: %s was good a second time", c.subject, what)
		case errors.Is(err, recovery.ErrGone), errors.Is(err, recovery.ErrWrongStep), errors.Is(err, pin.ErrNoGrant):
			r.journal.Count("recoveries refused")
		default:
			r.journal.Count("recoveries failed")
		}
	}
	if w.at > toUse {
		run, err := r.site.Recovery.Redeem(ctx, w.link, civicpin.Source{})
		try("a link", err == nil || !run.Ticket.IsZero(), err)
	}
	if w.at > toType && !w.code.IsZero() {
		_, err := r.site.Recovery.Answer(ctx, w.ticket, recovery.Answers{Code: w.code})
		try("a code", err == nil, err)
	}
	if w.at > toFinish {
		_, err := r.site.Recovery.Finish(ctx, w.ticket, civicpin.Source{})
		try("a ticket", err == nil, err)
	}
	if w.at > toSet && !w.grant.IsZero() {
		_, err := r.site.PINs.Set(ctx, w.grant, civicpin.NewSecret(rand.Text()), civicpin.Source{})
		try("a grant", err == nil, err)
	}
}

// secrets tries all secrets of a citizen: one is right, if the citizen has any, and none that it took the place of.
func (r *recoverer) secrets(ctx context.Context, c *forgetful) {
	for _, s := range c.wrong {
		if right, _ := r.right(ctx, c, s); right {
			r.journal.Break("recover %s: a secret is right that was replaced, or not taken", c.subject)
		}
	}
	if c.secret == "" {
		return
	}
	n := 0
	for _, s := range slices.Concat(c.maybe, []string{c.secret}) { // the right one last: it ends the count of the others
		right, err := r.right(ctx, c, s)
		if err != nil {
			r.journal.Break("recover %s: after all: %v", c.subject, err)
		}
		if right {
			n++
		}
	}
	if n != 1 {
		r.journal.Break("recover %s: of %d secrets %d are right", c.subject, 1+len(c.maybe), n)
	}
}

// right returns whether a secret is right. The error is one that says nothing of it.
func (r *recoverer) right(ctx context.Context, c *forgetful, secret string) (bool, error) {
	for {
		_, err := r.site.PINs.Verify(ctx, pin.Attempt{Subject: c.subject, Secret: civicpin.NewSecret(secret)})
		_, locked := errors.AsType[*lockout.LockedError](err)
		switch {
		case err == nil:
			return true, nil
		case locked && r.site.PINs.Unlock(ctx, c.subject, operator) == nil:
			// By reservations that were never settled.
			r.journal.Count("recoveries locked")
		case !locked && errors.Is(err, pin.ErrRefused):
			return false, nil
		default:
			r.journal.Count("recoveries failed")
			return false, err
		}
	}
}

// Audit implements [Flow]: what was begun can be brought to its end, what was told to contacts arrives, and what was spent
// stays so.
func (r *recoverer) Audit(ctx context.Context) {
	deadline := time.Now().Add(r.site.Mail.arrival)
	for _, c := range r.all {
		if err := r.site.PINs.Unlock(ctx, c.subject, operator); err != nil {
			r.journal.Break("recover %s: unlock: %v", c.subject, err)
		}
		for w := c.open(); w != nil; w = c.open() {
			r.goOn(ctx, c, w)
			if !w.ended && time.Now().After(deadline) {
				r.journal.Break("recover %s: never came behind %v", c.subject, w.at)
				break
			}
		}
		for _, w := range c.walks {
			r.again(ctx, c, w)
			if !w.grant.IsZero() {
				r.notices(c, w, deadline)
			}
			r.journal.Count("recoveries audited")
		}
		r.secrets(ctx, c)
	}
}

// notices looks for what both contacts are told of a recovery that was completed.
func (r *recoverer) notices(c *forgetful, w *walk, deadline time.Time) {
	for _, to := range []civicpin.Contact{c.email, c.phone} {
		if _, ok := r.site.Mail.Wait(to.Address, w.about(recovery.NoticeDone), deadline); !ok {
			r.journal.Break("recover %s: was never told by %s", c.subject, to.Channel)
		}
		r.journal.Count("notices audited")
	}
}
