package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// Staff is a member of staff who acts. The caller has authenticated them, and knows their role.
type Staff struct {
	ID   civicpin.Actor // an operator
	Role string
}

// StartBy begins a recovery on behalf of somebody who is at the desk or on the telephone. The run has no ticket: the member of
// staff goes on with Assist, and what the citizen alone may do waits for the link that the citizen gets. The plan's first
// step has to be one of staff's. Errors: [ErrStaff]; [ErrStep] if the plan begins otherwise; those of [Service.Start].
func (s *Service) StartBy(ctx context.Context, name string, subject civicpin.Subject, by Staff) (Run, error) {
	w := s.plans[name]
	if w == nil {
		return Run{}, fmt.Errorf("%w: no plan %q", civicpin.ErrInvalid, name)
	}
	first, ok := w.Steps[0].(plan.Operator)
	if !ok {
		return Run{}, ErrStep
	}
	if err := s.may(ctx, by, first.Role); err != nil {
		return Run{}, err
	}
	return s.start(ctx, name, subject, by.ID, civicpin.Source{})
}

// A Case is a run as staff see it. It holds no secret and no ticket.
type Case struct {
	Run
	Subject civicpin.Subject
	// Role is whose step it is now, empty if it is not staff's. Questions are what to ask.
	Role      string
	Questions []string
	// Documents are the references of the uploads, by kind.
	Documents map[string]string
	// Approved says who has approved this step already, if a second one has to.
	Approved []civicpin.Actor
	Started  time.Time
}

// Case shows a run to staff, by its id. Looking counts as an act. Errors: [ErrStaff]; [ErrGone]; [ErrExpired]; the store's.
func (s *Service) Case(ctx context.Context, id string, by Staff) (Case, error) {
	if err := s.may(ctx, by, ""); err != nil {
		return Case{}, err
	}
	e, w, err := s.load(ctx, id)
	if err != nil {
		return Case{}, err
	}
	r := &e.Value
	if err := r.open(s.vault.Now()); err != nil {
		return Case{}, err
	}
	c := Case{Run: s.view(id, r), Subject: r.Subject, Started: r.Started, Documents: make(map[string]string)}
	for _, d := range r.Documents {
		c.Documents[d.Kind] = d.Ref
	}
	if step, ok := w.staffs(r); ok {
		c.Role = step.Role
		if step.Questions > 0 {
			c.Questions = slices.Clone(r.asked(step.Questions))
		}
		for _, a := range r.Approved {
			c.Approved = append(c.Approved, a.By)
		}
	}
	return c, nil
}

// staffs returns the step of staff at which a run is.
func (w *way) staffs(r *run) (plan.Operator, bool) {
	if r.Step >= len(w.Steps) || !r.Rests.IsZero() {
		return plan.Operator{}, false
	}
	step, ok := w.Steps[r.Step].(plan.Operator)
	return step, ok
}

// A Verdict is what a member of staff makes of a case.
type Verdict struct {
	// Approve says that the person is the subject. Otherwise the run ends.
	Approve bool
	// Reason is for the log: the document seen, why it was turned down. At most 256 bytes; no secret.
	Reason string
	// Questions holds what the citizen answered, if the step asks questions, by question. The library compares.
	Questions map[string]civicpin.Secret
	// Source is where the member of staff acts from.
	Source civicpin.Source
}

// Assist is a step of staff: somebody of the step's role approves, or ends the run. Where the plan asks for a second one, the
// first approval leaves the run where it is, and another member of staff has to give theirs. If nothing more is asked, a plan that
// ends in an unlock, or in a new secret in parts, is completed at once; no member of staff ever gets a grant or a ticket.
//
// Errors: [ErrStaff], before any comparison; [ErrRefused] for wrong answers, which count; a *[lockout.LockedError]; [ErrBusy]; [ErrStep] if
// the run is not at a step of staff, or answers do not fit the questions; [pin.ErrNoCredential] if there is nobody whom the plan
// could help; [ErrGone]; [ErrExpired]; the store's. After one of the store's at the plan's end begin again.
func (s *Service) Assist(ctx context.Context, id string, by Staff, v Verdict) (Run, error) {
	e, w, err := s.load(ctx, id)
	if err != nil {
		return Run{}, err
	}
	r := &e.Value
	step, ok := w.staffs(r)
	if err := r.open(s.vault.Now()); err != nil {
		return Run{}, err
	}
	if !ok || len(v.Reason) > 256 || !names.Plain(v.Reason) || v.Approve && step.Questions > 0 && !answersAll(r.asked(step.Questions), v.Questions) ||
		step.Questions == 0 && len(v.Questions) > 0 {
		return Run{}, ErrStep
	}
	if err := s.may(ctx, by, step.Role); err != nil {
		return Run{}, err
	}
	if !v.Approve {
		s.record(ctx, eventAssisted, id, r, by.ID, v.Source, "turned down: "+v.Reason)
		return Run{}, s.end(ctx, e, runCancelled, id, by.ID, v.Source, "turned down")
	}
	if slices.ContainsFunc(r.Approved, func(a approval) bool { return a.By == by.ID }) {
		return Run{}, &StaffError{Reason: "same person"}
	}
	if !r.Known && step.Questions == 0 {
		return Run{}, pin.ErrNoCredential
	}
	second := step.Second && len(r.Approved) == 0
	if second {
		e, err = s.approve(ctx, e, w, id, step, by, v)
	} else {
		e, err = s.pass(ctx, e, w, id, step, by, v)
	}
	if err != nil {
		return Run{}, err
	}
	s.record(ctx, eventAssisted, id, &e.Value, by.ID, v.Source, "approved: "+v.Reason)
	if second {
		return s.view(id, &e.Value), nil
	}
	return s.onwards(ctx, e, w, id, by, v)
}

// pass brings a run behind a step of staff.
func (s *Service) pass(ctx context.Context, e store.Entry[run], w *way, id string, step plan.Operator, by Staff, v Verdict) (store.Entry[run], error) {
	approved := e.Value.Approved
	same := func(r *run, _ time.Time) error {
		if len(r.Approved) != len(approved) {
			return ErrStep
		}
		return nil
	}
	if step.Questions > 0 && len(approved) == 0 {
		return s.guess(ctx, e, w, id, []plan.Step{step}, Answers{Questions: v.Questions, Source: v.Source}, same)
	}
	return s.advance(ctx, e, w, id, e.Value.Step+1, same)
}

// approve notes a first approval.
func (s *Service) approve(ctx context.Context, e store.Entry[run], w *way, id string, step plan.Operator, by Staff, v Verdict) (store.Entry[run], error) {
	note := func(r *run, now time.Time) error {
		if len(r.Approved) > 0 {
			return ErrStep // somebody else did at this moment
		}
		r.Approved = []approval{{By: by.ID, At: now}}
		return nil
	}
	if step.Questions > 0 {
		// What the citizen answered is compared, and the run goes on only with the second approval.
		answers := Answers{Questions: v.Questions, Source: v.Source}
		stay := func(context.Context, []civicpin.Contact) error { return nil }
		if err := s.compare(ctx, &e.Value, w, id, []plan.Step{step}, answers, stay); err != nil {
			return e, err
		}
	}
	return s.change(ctx, e, e.Value.Step, note)
}

// onwards goes on behind a step of staff: to the message that the next step sends, or to the plan's end where that gives nothing
// to staff.
func (s *Service) onwards(ctx context.Context, e store.Entry[run], w *way, id string, by Staff, v Verdict) (Run, error) {
	r := &e.Value
	if r.Step >= len(w.Steps) && r.Rests.IsZero() && w.Outcome != plan.ChooseSecret {
		grant, err := s.complete(ctx, e, w, id, by.ID, v.Source)
		if err == nil && w.Outcome == plan.ReissueInParts {
			_, err = s.config.Pins.Reissue(ctx, grant, v.Source)
		}
		return Run{ID: id, Plan: w.Name, Done: true}, err
	}
	e, err := s.arrive(ctx, e, w, v.Source)
	return s.view(id, &e.Value), err
}

// Unlock lifts the lock that too many wrong answers to a plan's questions, or wrong codes, brought about: the act of an agency.
// With evidence that the subject was seen, it also lifts a disablement and forgets the failures, which is a new binding (NIST
// SP 800-63B-4 3.2.2); the zero Evidence is fine without. It returns nil whether or not there was a lock.
//
// Errors: [ErrStaff], also for a role without Role.Unlocks; [civicpin.ErrInvalid]; a *[lockout.LockedError] if the subject is disabled and
// there is no evidence; the store's.
func (s *Service) Unlock(ctx context.Context, name string, subject civicpin.Subject, seen civicpin.Evidence, by Staff) error {
	w := s.plans[name]
	if w == nil {
		return fmt.Errorf("%w: no plan %q", civicpin.ErrInvalid, name)
	}
	lift := w.gate.Unlock
	if seen != (civicpin.Evidence{}) {
		if err := seen.Validate(); err != nil {
			return err
		}
		lift = w.gate.Rebind
	}
	if r := s.roles[by.Role]; r != nil && !r.Unlocks {
		return &StaffError{Reason: "role"}
	}
	if err := s.may(ctx, by, ""); err != nil {
		return err
	}
	return errors.Join(
		lift(ctx, lockout.Key{Subject: subject}, by.ID),
		lift(ctx, lockout.Key{Subject: subject, Lane: codeLane}, by.ID),
	)
}
