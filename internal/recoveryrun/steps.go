package recoveryrun

import (
	"errors"

	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// ErrWrongStep says that an answer is missing, or is not what is asked.
var ErrWrongStep = errors.New("recovery: not what is asked now")

// Gone turns what an act upon the credential, or another run, has ended into [token.ErrGone], and leaves all other errors.
func Gone(err error) error {
	if errors.Is(err, pin.ErrChanged) || errors.Is(err, pin.ErrWrongState) || errors.Is(err, ErrWrongStep) {
		return token.ErrGone
	}
	return err
}

// Refused reports whether an error says that a contact was not kept, and will not be. After all others it may have been.
func Refused(err error) bool {
	_, full := errors.AsType[*lockout.LockedError](err)
	return full || errors.Is(err, token.ErrGone) || errors.Is(err, contactbook.ErrUnsuitable)
}

// Roles returns the roles that steps name.
func Roles(steps []plan.Step) (names []string) {
	for _, s := range steps {
		if step, ok := s.(plan.Approval); ok {
			names = append(names, step.Role)
		}
	}
	return names
}

// Operates returns the step of an operator at which the run is.
func (r *Record) Operates(steps []plan.Step) (plan.Approval, bool) {
	if r.Step >= len(steps) || !r.Rests.IsZero() {
		return plan.Approval{}, false
	}
	step, ok := steps[r.Step].(plan.Approval)
	return step, ok
}

// Enrols returns how many questions the steps ask the subject to enrol, 0 if none does.
func Enrols(steps []plan.Step) (n int) {
	for _, s := range steps {
		if e, ok := s.(plan.Enrol); ok {
			n = max(n, e.Questions)
		}
	}
	return n
}

// Rebinds reports whether all that a plan asks for of what can be enrolled is new. If a part of it stays, so do the failures: a
// new image must not bring new guesses at old answers. Nor do answers concern the count of a plan that asks for none.
func Rebinds(p plan.Plan, k *knowledge.Knowledge) bool {
	questions, image := p.Asks()
	return (questions > 0 || image) && (questions == 0 || len(k.Questions) > 0) && (!image || k.Image != "")
}
