package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// An Operator is a member of staff who acts in a Role, which names one of Config.Roles. The caller has authenticated them.
type Operator struct {
	ID   civicpin.Actor // an operator
	Role string
}

// StartBy starts a recovery on behalf of a subject who is at the desk or on the telephone. The run has no ticket: the operator
// goes on with [Service.Decide], and what the citizen alone may do waits for the link that the citizen gets. Errors:
//   - [ErrNotAllowed]. [civicpin.ErrInvalid]: also for an actor that is no operator.
//   - [ErrWrongStep]: the plan's first step is not one of staff's.
//   - those of [Service.Start].
func (s *Service) StartBy(ctx context.Context, name string, subject civicpin.Subject, by Operator) (Run, error) {
	w, err := s.way(name, subject)
	if err != nil {
		return Run{}, err
	}
	first, ok := (&run{}).Operates(w.Steps)
	if !ok {
		return Run{}, ErrWrongStep
	}
	if err := s.desk(w, subject).may(ctx, by, first.Role); err != nil {
		return Run{}, err
	}
	return s.start(ctx, name, subject, by.ID, civicpin.Source{})
}

// desk returns a visit of staff about a plan and a subject, without a run.
func (s *Service) desk(w *way, subject civicpin.Subject) *visit {
	return &visit{Service: s, entry: store.Entry[run]{Value: run{Subject: subject, Plan: w.Name}}, way: w}
}

// A Verdict is what a member of staff makes of a case.
type Verdict struct {
	Approve bool // the person is the subject; otherwise the run ends
	// Reason is for the log: the document seen, why it was turned down. At most 256 printable bytes; no secret.
	Reason string
	// Questions holds what the citizen answered, if the step asks questions, by question. The library compares.
	Questions map[string]civicpin.Secret
	Source    civicpin.Source // where the member of staff acts from
}

// Decide ends a run, approves at a step of staff, or goes on with a run that staff began:
//   - Without Approve it ends any run under way, a resting one too. An operator of any role may.
//   - At a step of staff, an operator of its role approves. Each approval of a run is by another operator, over all its steps.
//     Where the step asks for a second approval, the first one leaves the run where it is. The answers of both are compared.
//   - Elsewhere in a run that staff began, and that no link has given to the citizen, Approve goes on behind a wait that is
//     over, or has the step's message sent again. An operator of a role that the plan names may.
//
// If nothing more is asked, a plan that ends in an unlock, or in a new secret in parts, is completed at once; no operator gets
// a grant or a ticket. Errors:
//   - [ErrNotAllowed]: before any comparison.
//   - [ErrRefused]: wrong answers, which count. A *[lockout.LockedError], [ErrBusy], [lockout.ErrTimeout].
//   - [ErrWrongStep]: the run is not at such a step, or answers do not fit the questions.
//   - [ErrWaiting]: the run rests, and its window has not ended.
//   - [civicpin.ErrInvalid]: the actor is no operator, or the reason is invalid. No try was spent.
//   - [pin.ErrNoCredential]: the plan can help no subject of that identifier.
//   - [ErrGone], [ErrExpired].
//   - the store's: decide again.
func (s *Service) Decide(ctx context.Context, id string, by Operator, verdict Verdict) (Run, error) {
	if !names.Printable(verdict.Reason, 256) {
		return Run{}, fmt.Errorf("%w: reason is not at most 256 printable bytes", civicpin.ErrInvalid)
	}
	v, err := s.load(ctx, id, verdict.Source)
	if err != nil {
		return Run{}, err
	}
	r := v.run()
	if err := r.Check(s.vault.Now()); err != nil {
		return Run{}, err
	}
	step, ok := r.Operates(v.way.Steps)
	roles := recoveryrun.Roles(v.way.Steps)
	switch {
	case !verdict.Approve:
		roles = slices.Collect(maps.Keys(s.roles))
	case ok:
		roles = []string{step.Role}
	}
	if err := v.may(ctx, by, roles...); err != nil {
		return Run{}, err
	}
	switch {
	case !verdict.Approve:
		v.record(ctx, recoveryrun.EventDecided, "turned down: "+verdict.Reason)
		return Run{}, v.end(ctx, "turned down")
	case !ok:
		return v.resume(ctx, verdict)
	case !recoveryrun.AnswersAll(r.AskedFirst(step.Questions), verdict.Questions):
		return Run{}, ErrWrongStep
	case r.ApprovedBy(by.ID):
		return Run{}, v.deny(ctx, SamePerson, time.Time{})
	case !r.Leads() && step.Questions == 0:
		return Run{}, pin.ErrNoCredential
	}
	before := r.Step
	if err := v.approve(ctx, step, verdict); err != nil {
		return Run{}, err
	}
	v.record(ctx, recoveryrun.EventDecided, "approved: "+verdict.Reason)
	if v.run().Step == before {
		return v.view(), nil // for the second approval
	}
	return v.onwards(ctx)
}

// approve notes an approval. The run goes on with it, or waits for the second one. What the citizen answered is compared.
func (v *visit) approve(ctx context.Context, step plan.Approval, verdict Verdict) error {
	r := v.run()
	if err := v.alive(ctx, v.run().Lives); err != nil {
		return err
	}
	if same, err := r.Unchanged(v.describe(ctx)); err != nil {
		return err
	} else if !same {
		return v.deny(ctx, Swapped, time.Time{})
	}
	had, first := len(r.Approved), step.Second && r.ApprovalsOf(r.Step) == 0
	note := func(r *run, now time.Time) error {
		if len(r.Approved) != had {
			return ErrWrongStep // another operator approved at this moment
		}
		r.Approve(v.by, now)
		return nil
	}
	then := func(ctx context.Context, _ []civicpin.Contact) error {
		if first {
			return v.change(ctx, note)
		}
		return v.advance(ctx, r.Step+1, note)
	}
	if step.Questions == 0 {
		return then(ctx, nil)
	}
	return v.compare(ctx, []plan.Step{step}, Answers{Questions: verdict.Questions}, then)
}

// resume goes on with a run that staff began: behind a wait that is over, to a message, or to an end that the store refused.
func (v *visit) resume(ctx context.Context, verdict Verdict) (Run, error) {
	r := v.run()
	if !r.Staffs() || len(verdict.Questions) > 0 {
		return Run{}, ErrWrongStep
	}
	if r.Step < len(v.way.Steps) || !r.Rests.IsZero() {
		if err := v.rouse(ctx); err != nil {
			return Run{}, err
		}
	}
	v.record(ctx, recoveryrun.EventDecided, "went on: "+verdict.Reason)
	return v.onwards(ctx)
}

// onwards goes on behind a step of staff: to the message of the next step, or to the plan's end if staff gain nothing by it.
func (v *visit) onwards(ctx context.Context) (Run, error) {
	r, w := v.run(), v.way
	if r.Step < len(w.Steps) || !r.Rests.IsZero() || w.Outcome == plan.ChooseSecret {
		err := v.arrive(ctx)
		return v.view(), err
	}
	grant, err := v.complete(ctx, waits.Approved)
	if err == nil && w.Outcome == plan.ReissueInParts {
		_, err = v.config.Pins.Reissue(ctx, grant, v.source)
	}
	return Run{ID: v.id(), Plan: w.Name, Done: true}, err
}

// Unlock lifts the lock that too many wrong answers to a plan's questions, or wrong codes, set: the act of an agency. With
// evidence that the subject was seen, it also lifts a disablement and resets the failures, which is a new binding (NIST SP
// 800-63B-4 3.2.2); without, pass the zero Evidence. It returns nil whether or not there was a lock. Errors:
//   - [ErrNotAllowed]: also for a role without Role.Unlocks.
//   - [civicpin.ErrInvalid]: the subject, the plan or the evidence is invalid, or the actor is no operator.
//   - a *[lockout.LockedError]: the subject is disabled and there is no evidence.
func (s *Service) Unlock(ctx context.Context, name string, subject civicpin.Subject, seen civicpin.Evidence,
	by Operator,
) error {
	w, err := s.way(name, subject)
	if err != nil {
		return err
	}
	lift := (*lockout.Gate).Unlock
	if seen != (civicpin.Evidence{}) {
		if err := seen.Validate(); err != nil {
			return err
		}
		lift = (*lockout.Gate).Rebind
	}
	v := s.desk(w, subject)
	if err := v.may(ctx, by, s.unlockers()...); err != nil {
		return err
	}
	if err := errors.Join(
		lift(w.gate, ctx, lockout.Target{Subject: subject}, by.ID),
		lift(w.typed, ctx, lockout.Target{Subject: subject}, by.ID),
	); err != nil {
		return err
	}
	v.record(ctx, recoveryrun.EventUnlocked, recoveryrun.Evidence(seen))
	return nil
}
