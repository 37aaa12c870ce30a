package recovery

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/recovery/plan"
)

// Answers are what a visitor gives to an [Ask]. Set the fields that the Ask has set, and no others.
type Answers struct {
	Captcha   bool                       // the caller has checked it
	Facts     map[string]string          // by name; each at most 256 printable bytes
	Image     string                     // the id of the chosen one
	Questions map[string]civicpin.Secret // by question
	Contacts  []civicpin.Contact         // channel and address as typed, in the caller's normal form
	// Confirm says that the contact shown is right; Correct gives another one instead.
	Confirm bool
	Correct civicpin.Contact
	// Code is the typed code of a message; Factor what was typed for the factor.
	Code, Factor civicpin.Secret
	Documents    map[string]string // the caller's reference of each kind's upload: 1 to 256 printable bytes
	Terms        string            // the version that was accepted
	// EnrolImage and EnrolQuestions are of the visitor's choice.
	EnrolImage     string
	EnrolQuestions map[string]civicpin.Secret

	// Source is where the answers come from. Its Address counts for limits by source, its Shown for Plan.Limit.Reserve.
	Source civicpin.Source
}

// Answer takes in what a visitor answers, and returns what is asked next. Guesses that are asked together are compared
// together, after the try was counted; no answer says which was wrong. They may be tried again until the plan's limit. Errors:
//   - [ErrRefused]: wrong answers, and all answers about a subject of whom nothing is known.
//   - a *[lockout.LockedError]: too many wrong answers. It may be told: unknown subjects lock alike. Where its scope names a
//     limit of messages, the step was taken, and [Service.Send] goes on from there.
//   - [ErrGone]: also for the wrong code that ends the run, at the plan's Limit.
//   - [ErrBusy], [ErrExpired]. [lockout.ErrTimeout]: right, and the call took too long.
//   - [ErrWaiting]: the run rests, or, with a *[RestError], it would have to while no run may.
//   - [ErrWrongStep]: the answers are not to what is asked.
//   - [civicpin.ErrInvalid]: invalid facts, contacts or uploads.
//   - [contact.ErrUnsuitable]: there is no room for a corrected contact. Only a visitor who has shown something is told.
//   - the store's, for the log: the step may have been taken.
//
// The run stays where it was, but with a LockedError of messages and with the store's errors. [ErrRefused] has spent a try.
func (s *Service) Answer(ctx context.Context, ticket civicpin.Secret, a Answers) (Run, error) {
	v, err := s.enter(ctx, ticket, a.Source)
	if err != nil {
		return Run{}, err
	}
	r := v.run()
	if !r.Rests.IsZero() {
		return v.view(), ErrWaiting
	}
	if r.Step >= len(v.way.Steps) {
		return v.view(), ErrWrongStep
	}
	if err := v.way.fits(r, a); err != nil {
		return v.view(), err
	}
	step := r.Step
	if err := v.take(ctx, a); err != nil {
		return Run{}, err
	}
	v.record(ctx, recoveryrun.EventStep, v.way.Describe(step))
	err = v.arrive(ctx)
	return v.view(), err
}

// take checks the answers to the step at which the run is, and advances it.
func (v *visit) take(ctx context.Context, a Answers) error {
	r := v.run()
	next := v.way.Group(r.Step)
	switch step := v.way.Steps[r.Step].(type) {
	case plan.Captcha:
		return v.pass(ctx)
	case plan.Facts, plan.Image, plan.Questions, plan.Contacts:
		return v.guess(ctx, v.way.Steps[r.Step:next], a)
	case plan.ConfirmContact:
		return v.confirm(ctx, step, a)
	case plan.Link, plan.Code:
		return v.typed(ctx, a.Code)
	case plan.Factor:
		return v.factor(ctx, string(step), a.Factor)
	case plan.Documents:
		docs, err := recoveryrun.Uploads(step, r.Documents, a.Documents, v.describe(ctx))
		if err != nil {
			return err
		}
		return v.advance(ctx, next, func(r *run, _ time.Time) error {
			r.Documents = docs
			return nil
		})
	case plan.Terms:
		return v.advance(ctx, next, func(r *run, _ time.Time) error {
			r.Terms = step.Version
			return nil
		})
	case plan.Enrol:
		k, err := v.enrolment(ctx, r.Subject, step, a.EnrolImage, a.EnrolQuestions)
		if err != nil {
			return err
		}
		return v.advance(ctx, next, func(r *run, _ time.Time) error {
			r.Enrolled = k
			return nil
		})
	}
	return ErrWrongStep // Approval: nobody answers it with a ticket
}

// confirm takes a contact as it is, or another address for it.
func (v *visit) confirm(ctx context.Context, step plan.ConfirmContact, a Answers) error {
	if a.Confirm {
		return v.pass(ctx)
	}
	if err := a.Correct.Validate(); err != nil {
		return err
	}
	if a.Correct.Channel != step.Channel {
		return ErrWrongStep
	}
	// Told now, and not when all has been proved and a day waited for.
	contacts, err := v.config.Contacts.Snapshot(ctx, v.run().Subject)
	if err != nil {
		return err
	}
	if err := contacts.Admits(a.Correct); err != nil {
		return err
	}
	return v.advance(ctx, v.run().Step+1, func(r *run, now time.Time) error {
		r.Correct = new(letter.Given(a.Correct))
		if step.Wait > 0 {
			r.Rests = now.Add(step.Wait)
		}
		return nil
	})
}

// describe returns what asks the caller's store about an upload.
func (v *visit) describe(ctx context.Context) recoveryrun.Describe {
	return func(ref string) (recoveryrun.Upload, error) {
		d, err := v.config.Documents.Describe(ctx, v.run().Subject, ref)
		return recoveryrun.Upload(d), err
	}
}
