package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
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
	first, ok := w.operates(&run{})
	if !ok {
		return Run{}, ErrWrongStep
	}
	if err := s.may(ctx, by, first.Role); err != nil {
		return Run{}, err
	}
	return s.start(ctx, name, subject, by.ID, civicpin.Source{})
}

// A Case is a run as staff see it: the Subject, and the run since StartedAt. It holds no secret and no ticket.
type Case struct {
	Run
	Subject   civicpin.Subject
	Role      string            // whose step it is now, empty if it is not staff's
	Questions []string          // what to ask
	Documents map[string]string // references of the uploads, by kind
	Approved  []civicpin.Actor  // who approved this step already, if a second one has to
	StartedAt time.Time
}

// ShowCase shows a run to staff, by its id. Looking counts as an act. Errors:
//   - [ErrNotAllowed], [ErrGone], [ErrExpired]. [civicpin.ErrInvalid]: the actor is no operator.
func (s *Service) ShowCase(ctx context.Context, id string, by Operator) (Case, error) {
	if err := s.may(ctx, by, ""); err != nil {
		return Case{}, err
	}
	v, err := s.load(ctx, id, civicpin.Source{})
	if err != nil {
		return Case{}, err
	}
	r := v.run()
	if err := r.Check(s.vault.Now()); err != nil {
		return Case{}, err
	}
	c := Case{Run: v.view(), Subject: r.Subject, StartedAt: r.Started, Documents: make(map[string]string)}
	for _, d := range r.Documents {
		c.Documents[d.Kind] = d.Ref
	}
	if step, ok := v.way.operates(r); ok {
		c.Role = step.Role
		if step.Questions > 0 {
			c.Questions = slices.Clone(r.AskedFirst(step.Questions))
		}
		for _, a := range r.Approved {
			c.Approved = append(c.Approved, a.By)
		}
	}
	return c, nil
}

// operates returns the step of an operator at which a run is.
func (w *way) operates(r *run) (plan.Approval, bool) {
	if r.Step >= len(w.Steps) || !r.Rests.IsZero() {
		return plan.Approval{}, false
	}
	step, ok := w.Steps[r.Step].(plan.Approval)
	return step, ok
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

// Decide takes a step of staff: an operator of the step's role approves, or ends the run. Where the plan asks for a second
// approval, the first one leaves the run where it is, and another operator has to give theirs. If nothing more is asked, a plan
// that ends in an unlock, or in a new secret in parts, is completed at once; no operator gets a grant or a ticket. Errors:
//   - [ErrNotAllowed]: before any comparison.
//   - [ErrRefused]: wrong answers, which count. A *[lockout.LockedError], [ErrBusy], [lockout.ErrTimeout].
//   - [ErrWrongStep]: the run is not at a step of staff, or answers do not fit the questions.
//   - [civicpin.ErrInvalid]: the actor is no operator, or the reason is invalid. No try was spent.
//   - [pin.ErrNoCredential]: the plan can help no subject of that identifier.
//   - [ErrGone], [ErrExpired].
//   - the store's: at the plan's end begin again.
func (s *Service) Decide(ctx context.Context, id string, by Operator, verdict Verdict) (Run, error) {
	if !names.Printable(verdict.Reason, 256) {
		return Run{}, fmt.Errorf("%w: reason is not at most 256 printable bytes", civicpin.ErrInvalid)
	}
	v, err := s.load(ctx, id, verdict.Source)
	if err != nil {
		return Run{}, err
	}
	v.by = by.ID
	r := v.run()
	if err := r.Check(s.vault.Now()); err != nil {
		return Run{}, err
	}
	step, ok := v.way.operates(r)
	if !ok || !verdict.fits(r, step) {
		return Run{}, ErrWrongStep
	}
	if err := s.may(ctx, by, step.Role); err != nil {
		return Run{}, err
	}
	if !verdict.Approve {
		v.record(ctx, recoveryrun.EventDecided, "turned down: "+verdict.Reason)
		return Run{}, v.end(ctx, "turned down")
	}
	if slices.ContainsFunc(r.Approved, func(a recoveryrun.Approval) bool { return a.By.Canonical() == by.ID.Canonical() }) {
		return Run{}, &OperatorError{Reason: SamePerson}
	}
	if !r.Leads() && step.Questions == 0 {
		return Run{}, pin.ErrNoCredential
	}
	if step.Second && len(r.Approved) == 0 {
		if err := v.approve(ctx, step, verdict); err != nil {
			return Run{}, err
		}
		v.record(ctx, recoveryrun.EventDecided, "approved: "+verdict.Reason)
		return v.view(), nil
	}
	if err := v.approved(ctx, step, verdict); err != nil {
		return Run{}, err
	}
	v.record(ctx, recoveryrun.EventDecided, "approved: "+verdict.Reason)
	return v.onwards(ctx)
}

// fits reports whether a verdict is one on the step.
func (verdict *Verdict) fits(r *run, step plan.Approval) bool {
	if step.Questions == 0 {
		return len(verdict.Questions) == 0
	}
	return !verdict.Approve || recoveryrun.AnswersAll(r.AskedFirst(step.Questions), verdict.Questions)
}

// approved brings a run behind a step of staff.
func (v *visit) approved(ctx context.Context, step plan.Approval, verdict Verdict) error {
	before := len(v.run().Approved)
	same := func(r *run, _ time.Time) error {
		if len(r.Approved) != before {
			return ErrWrongStep
		}
		return nil
	}
	if step.Questions > 0 && before == 0 {
		return v.guess(ctx, []plan.Step{step}, Answers{Questions: verdict.Questions}, same)
	}
	return v.advance(ctx, v.run().Step+1, same)
}

// approve notes a first approval. What the citizen answered is compared; the run goes on only with the second approval.
func (v *visit) approve(ctx context.Context, step plan.Approval, verdict Verdict) error {
	if step.Questions > 0 {
		stay := func(context.Context, []civicpin.Contact) error { return nil }
		if err := v.compare(ctx, []plan.Step{step}, Answers{Questions: verdict.Questions}, stay); err != nil {
			return err
		}
	}
	return v.change(ctx, func(r *run, now time.Time) error {
		if len(r.Approved) > 0 {
			return ErrWrongStep // another operator approved at this moment
		}
		r.Approved = []recoveryrun.Approval{{By: v.by, At: now}}
		return nil
	})
}

// onwards goes on behind a step of staff: to the message of the next step, or to the plan's end if staff gain nothing by it.
func (v *visit) onwards(ctx context.Context) (Run, error) {
	r, w := v.run(), v.way
	if r.Step < len(w.Steps) || !r.Rests.IsZero() || w.Outcome == plan.ChooseSecret {
		err := v.arrive(ctx)
		return v.view(), err
	}
	grant, err := v.complete(ctx)
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
	if r := s.roles[by.Role]; r != nil && !r.Unlocks {
		return &OperatorError{Reason: WrongRole}
	}
	if err := s.may(ctx, by, ""); err != nil {
		return err
	}
	return errors.Join(
		lift(w.gate, ctx, lockout.Target{Subject: subject}, by.ID),
		lift(w.typed, ctx, lockout.Target{Subject: subject}, by.ID),
	)
}
