package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/store"
)

// Start begins a recovery. Whoever the subject is, the answer looks the same after the same store calls; a run of a subject
// who is unknown, or whom the plan cannot help, leads through its steps to nothing. Six store calls, eight with a source's
// address; and those of [Service.Send] but one if the plan's first step sends a message.
//
// Errors: [civicpin.ErrInvalid] for a subject that cannot be, or a plan that is not there; a *[lockout.LockedError] if too many
// recoveries were begun for the subject or from the source, which goes alike for everybody; the store's.
func (s *Service) Start(ctx context.Context, plan string, subject civicpin.Subject, source civicpin.Source) (Run, error) {
	return s.start(ctx, plan, subject, civicpin.Citizen, source)
}

// start begins a run. A run that staff begin has no ticket.
func (s *Service) start(ctx context.Context, plan string, subject civicpin.Subject, by civicpin.Actor, source civicpin.Source) (Run, error) {
	w := s.plans[plan]
	if w == nil {
		return Run{}, fmt.Errorf("%w: no plan %q", civicpin.ErrInvalid, plan)
	}
	if err := subject.Validate(); err != nil {
		return Run{}, err
	}
	if by == civicpin.Citizen {
		// A contact that is printed for counts towards the subject and the source, and for no address.
		if err := s.starts.Take(ctx, subject, source, civicpin.Contact{Channel: civicpin.HandedOver}); err != nil {
			return Run{}, err
		}
	}
	mark, err := s.config.Pins.Mark(ctx, subject)
	if err != nil {
		return Run{}, err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return Run{}, err
	}
	k, err := s.knows(ctx, subject)
	if err != nil {
		return Run{}, err
	}
	now := s.vault.Now()
	id := newID()
	r := run{
		Subject: subject, Plan: plan, Digest: w.digest, State: runOpen, Epoch: mark.Epoch, Book: b.Epoch, By: by, Source: source.Address,
		Started: now, Expires: now.Add(w.Valid + w.rests()),
	}
	r.Known = w.helps(s, mark, b, k)
	ask := 0
	for _, step := range w.Steps {
		switch step := step.(type) {
		case Image:
			r.Images = s.images(subject, k)
		case Questions:
			ask = max(ask, step.Ask)
		case ConfirmContact:
			r.Shown = s.masked(subject, b, step.Channel)
		case Operator:
			ask = max(ask, step.Questions)
		}
	}
	if ask > 0 {
		r.Asked = s.pick(subject, k, mark.Epoch, ask)
	}
	var ticket civicpin.Secret
	if by == civicpin.Citizen {
		t := newToken(ticketToken, id, 0)
		r.Ticket, ticket = t.hash(), t.text()
	}
	r.fill()
	e := store.Entry[run]{Key: store.Key{ID: id}, Value: r, Expires: r.keep()}
	if err := s.runs.Put(ctx, &e); err != nil {
		return Run{}, err
	}
	s.record(ctx, eventStarted, id, &r, by, source, "")
	if e, err = s.arrive(ctx, e, w, source); err != nil {
		return Run{}, err
	}
	shown := s.view(id, &e.Value)
	shown.Ticket = ticket
	return shown, nil
}

// helps reports whether a plan can come to something for a subject. It looks at everything, whatever it found first, and for
// who has no contacts at those of nobody: the same work for strangers.
func (w *way) helps(s *Service, mark proof.Mark, b *book, k *knowledge) bool {
	can := w.Begin && mark.Vacant && !(w.hasty && mark.Revoked) || !w.Begin && mark.Held
	now := s.vault.Now()
	mine := len(b.Contacts) > 0
	if !mine {
		b = &s.alike.contacts
	}
	corrects := civicpin.Channel("")
	for _, step := range w.Steps {
		switch step := step.(type) {
		case Image:
			can = k.Image != "" && can
		case Questions:
			can = len(k.Questions) >= step.Ask && can
		case Operator:
			can = len(k.Questions) >= step.Questions && can
		case Contacts:
			can = len(b.usable(now)) >= step.AtLeast && mine && can
		case ConfirmContact:
			if step.MayCorrect {
				corrects = step.Channel
			}
		}
		if channels, _, _, _, ok := sent(step); ok && !slices.Contains(channels, corrects) {
			_, there := b.on(channels, now)
			can = there && mine && can
		}
	}
	return can
}

// Show returns what a run asks for now. It changes nothing. One store call. Errors: [ErrGone]; [ErrExpired]; the store's.
func (s *Service) Show(ctx context.Context, ticket civicpin.Secret) (Run, error) {
	e, _, t, err := s.enter(ctx, ticket)
	if err != nil {
		return Run{}, err
	}
	return s.view(t.selector, &e.Value), nil
}

// Cancel ends a run whose ticket the visitor has. Errors: [ErrGone], also for one that was cancelled before: it has ended all the
// same; the store's.
func (s *Service) Cancel(ctx context.Context, ticket civicpin.Secret) error {
	e, _, t, err := s.enter(ctx, ticket)
	if errors.Is(err, ErrExpired) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, e, runCancelled, t.selector, civicpin.Citizen, civicpin.Source{}, "by its owner")
}

// end takes a run out of use.
func (s *Service) end(ctx context.Context, e store.Entry[run], state, id string, by civicpin.Actor, source civicpin.Source, why string) error {
	done := false
	e, err := s.runs.UpdateFrom(ctx, e, func(e *store.Entry[run]) error {
		done = e.Found() && e.Value.State == runOpen
		if !done {
			return store.ErrSkip
		}
		e.Value.close(state)
		e.Value.fill()
		return nil
	})
	if err == nil && done {
		s.record(ctx, eventCancelled, id, &e.Value, by, source, why)
	}
	return err
}

// close drops all that could still be used or sent. What says "it was not me" stays.
func (r *run) close(state string) {
	r.State = state
	r.Links, r.Ticket, r.Enrolled, r.Correct, r.Rests = nil, nil, nil, nil, time.Time{}
	for i := range r.Mail {
		if !r.Mail[i].notice() {
			r.Mail[i].erase()
		}
	}
}

// record writes an event about a run.
func (s *Service) record(ctx context.Context, code civicpin.EventCode, id string, r *run, by civicpin.Actor, source civicpin.Source, reason string) {
	if source.Address == "" && by == civicpin.Citizen {
		source.Address = r.Source
	}
	s.vault.Record(ctx, civicpin.Event{
		Code: code, Subject: r.Subject, By: by, Source: source, Ref: r.Plan + "/" + id, Reason: reason,
	})
}
