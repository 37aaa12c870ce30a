package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Start starts a recovery. The answer looks the same, after the same store calls, for every subject; a run of a subject who is
// unknown, or whom the plan cannot help, leads through its steps to nothing. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid, or there is no such plan.
//   - a *[lockout.LockedError]: too many recoveries were started for the subject or from the source, alike for every subject.
//   - those of [Service.Send], if the plan's first step sends a message.
func (s *Service) Start(ctx context.Context, name string, subject civicpin.Subject, source civicpin.Source) (Run, error) {
	return s.start(ctx, name, subject, civicpin.Visitor, source)
}

// start starts a run. One that an operator starts has no ticket.
func (s *Service) start(ctx context.Context, name string, subject civicpin.Subject, by civicpin.Actor,
	source civicpin.Source,
) (Run, error) {
	w, err := s.way(name, subject)
	if err != nil {
		return Run{}, err
	}
	if by == civicpin.Visitor {
		if err := s.starts.Take(ctx, outbox.Request{Subject: subject, By: by, Source: source, Others: 1}); err != nil {
			return Run{}, err
		}
	}
	known, err := s.read(ctx, subject)
	if err != nil {
		return Run{}, err
	}
	now := known.Now
	r := run{
		Subject: subject, Plan: name, Digest: w.digest, State: recoveryrun.Open, By: by,
		Source: source.Address, Started: now, For: w.Valid + w.Rests(), Expires: now.Add(w.Valid + w.Rests()),
		Known: known.Helped(&w.Plan),
	}
	r.Marked(known)
	s.prepare(&r, w, known)
	id := token.NewID()
	var ticket civicpin.Secret
	if by == civicpin.Visitor {
		t := token.New(token.Ticket, id, 0)
		r.Ticket, ticket = t.Hash(), t.Text()
	}
	r.Pad()
	v := &visit{
		Service: s, entry: store.Entry[run]{Key: store.Key{ID: id}, Value: r, ExpiresAt: r.Keep()}, way: w,
		by: by, source: source,
	}
	if err := s.runs.Put(ctx, &v.entry); err != nil {
		return Run{}, err
	}
	v.record(ctx, recoveryrun.EventStarted, "")
	if err := v.arrive(ctx); err != nil {
		return Run{}, err
	}
	shown := v.view()
	shown.Ticket = ticket
	return shown, nil
}

// read reads what a recovery rests on, with the same work for every subject.
func (s *Service) read(ctx context.Context, subject civicpin.Subject) (known *recoveryrun.Subject, err error) {
	known = &recoveryrun.Subject{Now: s.vault.Now(), Reach: s.reach}
	if known.Mark, err = s.config.Pins.Mark(ctx, subject); err == nil {
		if known.Contacts, err = s.config.Contacts.Snapshot(ctx, subject); err == nil {
			known.Knowledge, err = s.knows(ctx, subject)
		}
	}
	return known, err
}

// way returns the plan of a name, for a subject who is valid: to be asked before anything is counted.
func (s *Service) way(name string, subject civicpin.Subject) (*way, error) {
	if w := s.plans[name]; w != nil {
		return w, subject.Validate()
	}
	return nil, fmt.Errorf("%w: no plan %q", civicpin.ErrInvalid, name)
}

// prepare draws what the steps of a run will show.
func (s *Service) prepare(r *run, w *way, known *recoveryrun.Subject) {
	questions, image := w.Asks()
	if image {
		r.Images = s.catalogue.Shown(r.Subject, known.Knowledge)
	}
	if questions > 0 {
		r.Asked = s.catalogue.Pick(r.Subject, known.Knowledge, questions)
	}
	for _, step := range w.Steps {
		if c, ok := step.(plan.ConfirmContact); ok {
			r.Shown = known.Contacts.Masked(c.Channel)
		}
	}
}

// Cancel ends a run whose ticket the visitor has. Errors:
//   - [ErrGone]: also for one that was cancelled before; it has ended all the same.
func (s *Service) Cancel(ctx context.Context, ticket civicpin.Secret) error {
	v, err := s.enter(ctx, ticket, civicpin.Source{})
	if errors.Is(err, ErrExpired) {
		return nil
	}
	if err != nil {
		return err
	}
	return v.end(ctx, "by its owner")
}
