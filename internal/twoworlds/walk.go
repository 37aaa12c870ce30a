package twoworlds

import (
	"context"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// recover walks the owner through a plan, as far as it goes, and uses the grant.
func (w *world) recover(ctx context.Context, n int) error {
	p := &w.setup.Plans[n%len(w.setup.Plans)]
	run, err := w.recovery.Start(ctx, p.Name, subject, own)
	ticket := run.Ticket
	for range 2 * len(p.Steps) {
		if err != nil || run.Done {
			break
		}
		if !w.able(ctx, run.Next) {
			return errNone
		}
		if run.Next.Sent == nil || !run.Next.Sent.Link && !run.Next.Sent.Code {
			run, err = w.recovery.Answer(ctx, ticket, w.right(run.Next))
			continue
		}
		before := len(w.mail.Messages())
		if err := w.out.Flush(ctx); err != nil {
			return err
		}
		if before == len(w.mail.Messages()) {
			return errNone // a run that leads nowhere, or a message that waits
		}
		m := w.lastOf(recovery.LinkMessage, recovery.CodeMessage, recovery.UnlockMessage, recovery.ActivateMessage)
		if m.Link.IsZero() {
			run, err = w.recovery.Answer(ctx, ticket, recovery.Answers{Code: m.Secret, Source: own})
			continue
		}
		run, err = w.recovery.Redeem(ctx, m.Link, own)
		if !run.Ticket.IsZero() {
			ticket = run.Ticket
		}
	}
	if err != nil || !run.Done {
		return err
	}
	g, err := w.recovery.Finish(ctx, ticket, own)
	if err != nil || g.IsZero() {
		return err
	}
	if p.Outcome == plan.ReissueInParts {
		_, err := w.pins.Reissue(ctx, g, own)
		return err
	}
	return w.set(ctx, g, n)
}

// able reports whether the owner knows what a step asks for.
func (w *world) able(ctx context.Context, next recovery.Ask) bool {
	image, questions, err := w.recovery.Enrolled(ctx, subject)
	return err == nil && (len(next.Images) == 0 || image) && len(next.Questions) <= len(questions) && next.Contacts <= len(w.to) &&
		next.Factor == ""
}

// set uses a grant.
func (w *world) set(ctx context.Context, g pin.Grant, n int) error {
	next := w.setup.fits(n)
	_, err := w.pins.Set(ctx, g, civicpin.NewSecret(next), personal()...)
	if err == nil {
		w.secret = next
	}
	return err
}

// lastOf returns the last message of some kinds to the owner.
func (w *world) lastOf(kinds ...civicpin.MessageKind) civicpin.Message {
	var last civicpin.Message
	for _, m := range w.mail.Messages() {
		if slices.Contains(kinds, m.Kind) && (m.To.Address == email || m.To.Address == phone) {
			last = m
		}
	}
	return last
}

// right are the owner's answers.
func (w *world) right(next recovery.Ask) recovery.Answers {
	a := w.answers(next, 2)
	a.Source = own
	for name := range a.Facts {
		a.Facts[name] = fact(name)
	}
	if len(next.Images) > 0 {
		a.Image = w.setup.Images[0]
	}
	for question := range a.Questions {
		a.Questions[question] = known(question)
	}
	if next.Contacts > 0 {
		a.Contacts = contacts()[:min(next.Contacts, 2)]
	}
	return a
}
