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
	for i := 0; err == nil && !run.Done && i < 2*len(p.Steps); i++ {
		if !w.able(ctx, p) {
			return errNone
		}
		run, err = w.walk(ctx, run.Next, &ticket)
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

// walk does one step of a plan.
func (w *world) walk(ctx context.Context, next recovery.Ask, ticket *civicpin.Secret) (recovery.Run, error) {
	if next.Sent == nil {
		return w.recovery.Answer(ctx, *ticket, w.right(next))
	}
	before := len(w.mail.Messages())
	if err := w.out.Flush(ctx); err != nil {
		return recovery.Run{}, err
	}
	m := w.lastOf(recovery.LinkMessage, recovery.CodeMessage, recovery.UnlockMessage, recovery.ActivateMessage)
	if before == len(w.mail.Messages()) || m.Link.IsZero() && m.Secret.IsZero() {
		return recovery.Run{}, errNone // the message waits
	}
	if m.Link.IsZero() {
		return w.recovery.Answer(ctx, *ticket, recovery.Answers{Code: m.Secret, Source: own})
	}
	run, err := w.recovery.Redeem(ctx, m.Link, own)
	if !run.Ticket.IsZero() {
		*ticket = run.Ticket
	}
	return run, err
}

// able reports whether a plan helps the owner, who otherwise does not begin to guess.
func (w *world) able(ctx context.Context, p *plan.Plan) bool {
	image, questions, err1 := w.recovery.Enrolled(ctx, subject)
	snapshot, err2 := w.contacts.Snapshot(ctx, subject)
	if err1 != nil || err2 != nil || !w.active(ctx) || len(snapshot.Established()) < 2 || p.Creates || p.Rests() > 0 {
		return false // a rest leads nowhere where a contact cannot object
	}
	return !slices.ContainsFunc(p.Steps, func(s plan.Step) bool {
		switch s.(type) {
		case plan.Image:
			return !image
		case plan.Questions:
			return len(questions) < 4
		case plan.Factor:
			return true
		}
		return false
	})
}

// sendsUnproved reports whether the n-th plan, when it sends its first message, has been shown no more than answers.
func (w *world) sendsUnproved(n int) bool {
	steps := w.setup.Plans[n%len(w.setup.Plans)].Steps
	_, atOnce := plan.SentBy(steps[0]) // where the subject is unknown, too
	return !atOnce
}

// set uses a grant.
func (w *world) set(ctx context.Context, g pin.Grant, n int) error {
	next := w.setup.fits(n)
	_, err := w.pins.Set(ctx, g, civicpin.NewSecret(next), own, w.personal()...)
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
