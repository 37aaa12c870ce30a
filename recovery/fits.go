package recovery

import (
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// fits checks that the answers are to what is asked, and to nothing else: an answer that is passed over would look like one
// that was right.
func (w *way) fits(r *run, a *Answers) error {
	var want Answers
	for _, step := range w.Steps[r.Step:w.group(r.Step)] {
		switch step := step.(type) {
		case plan.Captcha:
			if !a.Captcha {
				return ErrStep
			}
			want.Captcha = true
		case plan.Facts:
			if len(a.Facts) != len(step) {
				return ErrStep
			}
			for _, name := range step {
				if v, ok := a.Facts[name]; !ok || len(v) > maxFact {
					return ErrStep
				}
			}
			want.Facts = a.Facts
		case plan.Image:
			if !slices.Contains(r.Images, a.Image) {
				return ErrStep
			}
			want.Image = a.Image
		case plan.Questions:
			if !answersAll(r.asked(step.Ask), a.Questions) {
				return ErrStep
			}
			want.Questions = a.Questions
		case plan.Contacts:
			if err := fitContacts(step, a.Contacts); err != nil {
				return err
			}
			want.Contacts = a.Contacts
		case plan.ConfirmContact:
			if a.Confirm == (a.Correct != civicpin.Contact{}) || !a.Confirm && !step.MayCorrect {
				return ErrStep
			}
			want.Confirm, want.Correct = a.Confirm, a.Correct
		case plan.Link, plan.Code:
			if d, _ := plan.SentBy(step); d.Code == 0 || a.Code.IsZero() {
				return ErrStep
			}
			want.Code = a.Code
		case plan.Factor:
			if a.Factor.IsZero() {
				return ErrStep
			}
			want.Factor = a.Factor
		case plan.Documents:
			want.Documents = a.Documents
		case plan.Terms:
			if a.Terms != step.Version {
				return ErrStep
			}
			want.Terms = a.Terms
		case plan.Enrol:
			want.EnrolImage, want.EnrolQuestions = a.EnrolImage, a.EnrolQuestions
		default:
			return ErrStep
		}
	}
	if want.fields() != a.fields() {
		return ErrStep
	}
	return nil
}

const (
	maxFact  = 256 // bytes
	maxNamed = 8   // contacts
)

// answersAll reports whether there is an answer to each of the questions and to no other.
func answersAll(asked []string, given map[string]civicpin.Secret) bool {
	for _, q := range asked {
		if _, ok := given[q]; !ok {
			return false
		}
	}
	return len(given) == len(asked)
}

// fields tells which fields are set.
func (a *Answers) fields() [12]bool {
	return [...]bool{
		a.Captcha, a.Facts != nil, a.Image != "", a.Questions != nil, a.Contacts != nil, a.Confirm, a.Correct != civicpin.Contact{},
		!a.Code.IsZero(), !a.Factor.IsZero(), a.Documents != nil, a.Terms != "", a.EnrolImage != "" || a.EnrolQuestions != nil,
	}
}

// fitContacts checks that contacts can be what is asked for.
func fitContacts(c plan.Contacts, given []civicpin.Contact) error {
	if len(given) < c.AtLeast || len(given) > maxNamed {
		return ErrStep
	}
	for i, g := range given {
		if err := g.Validate(); err != nil {
			return err
		}
		if len(c.Of) > 0 && !slices.Contains(c.Of, g.Channel) {
			return ErrStep
		}
		for _, other := range given[:i] {
			if g.Channel == other.Channel || g.SameAddress(other) {
				return fmt.Errorf("%w: two contacts of one channel or address", civicpin.ErrInvalid)
			}
		}
	}
	return nil
}
