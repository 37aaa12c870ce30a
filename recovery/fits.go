package recovery

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/recovery/plan"
)

// fits checks that the answers are to what is asked and to nothing else: an answer that is passed over would look right.
func (w *way) fits(r *run, a Answers) error {
	a.Source = civicpin.Source{}
	for _, fact := range a.Facts { // they reach the caller's register
		if !names.Printable(fact, 256) {
			return fmt.Errorf("%w: a fact is not at most 256 printable bytes", civicpin.ErrInvalid)
		}
	}
	for _, secret := range []*civicpin.Secret{&a.Code, &a.Factor} {
		if secret.IsZero() {
			*secret = civicpin.Secret{} // an empty field of a form is no answer
		}
	}
	rest := a
	for _, step := range w.Steps[r.Step:w.Group(r.Step)] {
		one := a // two steps of one type are answered by the same fields
		if err := one.use(r, step); err != nil {
			return err
		}
		_ = rest.use(r, step)
	}
	if !reflect.ValueOf(rest).IsZero() {
		return ErrWrongStep
	}
	return nil
}

// use checks the answer to a step, and empties its fields.
func (a *Answers) use(r *run, step plan.Step) error {
	ok := false
	switch step := step.(type) {
	case plan.Captcha:
		ok, a.Captcha = a.Captcha, false
	case plan.Facts:
		ok, a.Facts = recoveryrun.AnswersAll(step, a.Facts), nil
	case plan.Image:
		ok, a.Image = slices.Contains(r.Images, a.Image), ""
	case plan.Questions:
		ok, a.Questions = recoveryrun.AnswersAll(r.AskedFirst(step.Ask), a.Questions), nil
	case plan.Contacts:
		err := recoveryrun.FitContacts(step, a.Contacts)
		a.Contacts = nil
		return err
	case plan.ConfirmContact:
		ok = a.Confirm != (a.Correct != civicpin.Contact{}) && (a.Confirm || step.MayCorrect)
		a.Confirm, a.Correct = false, civicpin.Contact{}
	case plan.Link, plan.Code:
		d, _ := plan.SentBy(step)
		ok, a.Code = d.Code > 0 && !a.Code.IsZero(), civicpin.Secret{}
	case plan.Factor:
		ok, a.Factor = !a.Factor.IsZero(), civicpin.Secret{}
	case plan.Documents:
		ok, a.Documents = true, nil
	case plan.Terms:
		ok, a.Terms = a.Terms == step.Version, ""
	case plan.Enrol:
		ok, a.EnrolImage, a.EnrolQuestions = true, "", nil
	}
	if !ok {
		return ErrWrongStep
	}
	return nil
}
