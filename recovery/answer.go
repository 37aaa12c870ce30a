package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// Answers are what a visitor gives to an [Ask]. Set the fields that the Ask has set, and no others.
type Answers struct {
	Captcha   bool // the caller has checked it
	Facts     map[string]string
	Image     string
	Questions map[string]civicpin.Secret // by question
	Contacts  []civicpin.Contact         // channel and address as typed, in the caller's normal form
	// Confirm says that the contact shown is right; Correct gives another one instead.
	Confirm bool
	Correct civicpin.Contact
	// Code is the typed code of a message; Factor what was typed for the factor.
	Code, Factor civicpin.Secret
	Documents    map[string]string // the caller's reference of each kind's upload
	Terms        string            // the version that was accepted
	// EnrolImage and EnrolQuestions are of the visitor's choice.
	EnrolImage     string
	EnrolQuestions map[string]civicpin.Secret

	// Source is where the answers come from; limits by source apply if its Address is not empty.
	Source civicpin.Source
}

// Answer takes in what a visitor answers, and returns what is asked next. Guesses that are asked together are compared
// together, after the try was counted; no answer says which was wrong. They may be tried again until the plan's limit.
//
// Five store calls for wrong guesses at facts, image and questions, known subject or not, six for right ones, two while locked.
//
// Errors: [ErrRefused] for wrong answers, and for all of a subject whom nothing is known of; a *[lockout.LockedError], which may be
// told, since unknown subjects lock alike; [ErrBusy]; [ErrStep] if the answers are not to what is asked; [ErrWaiting];
// [ErrExpired]; [ErrGone]; [civicpin.ErrInvalid] for contacts or uploads that cannot be; [contact.ErrUnsuitable] for a corrected contact where
// there is room for none, which only who has answered a guess or proved something is told; all before anything changes. The limits
// of messages may come with the step behind the answered one: then the error is a *[lockout.LockedError] whose scope says so, and
// [Service.Send] goes on from there. Anything else, such as the store's error, is for the log: the step may have been taken.
func (s *Service) Answer(ctx context.Context, ticket civicpin.Secret, a Answers) (Run, error) {
	e, w, t, err := s.enter(ctx, ticket)
	if err != nil {
		return Run{}, err
	}
	r := &e.Value
	if !r.Rests.IsZero() {
		return s.view(t.Selector, r), ErrWaiting
	}
	if r.Step >= len(w.Steps) {
		return s.view(t.Selector, r), ErrStep
	}
	if err := w.fits(r, &a); err != nil {
		return s.view(t.Selector, r), err
	}
	step := r.Step
	e, err = s.take(ctx, e, w, t.Selector, a)
	if err != nil {
		return Run{}, err
	}
	s.record(ctx, eventStep, t.Selector, &e.Value, civicpin.Citizen, a.Source, w.named(step))
	e, err = s.arrive(ctx, e, w, a.Source)
	return s.view(t.Selector, &e.Value), err
}

// named says which step it is, for the log.
func (w *way) named(step int) string {
	if terms, ok := w.Steps[step].(plan.Terms); ok {
		return fmt.Sprintf("%d %T %s", step+1, terms, terms.Version)
	}
	return fmt.Sprintf("%d %T", step+1, w.Steps[step])
}

// take checks the answers to the step at which a run is, and advances it.
func (s *Service) take(ctx context.Context, e store.Entry[run], w *way, id string, a Answers) (store.Entry[run], error) {
	r := &e.Value
	next := w.group(r.Step)
	plain := func(*run, time.Time) error { return nil }
	switch step := w.Steps[r.Step].(type) {
	case plan.Captcha:
		return s.advance(ctx, e, w, id, next, plain)
	case plan.Facts, plan.Image, plan.Questions, plan.Contacts:
		return s.guess(ctx, e, w, id, w.Steps[r.Step:next], a, nil)
	case plan.ConfirmContact:
		return s.confirm(ctx, e, w, id, step, a)
	case plan.Link, plan.Code:
		return s.typed(ctx, e, w, id, a)
	case plan.Factor:
		return s.factor(ctx, e, w, id, string(step), a)
	case plan.Documents:
		docs, err := s.describe(ctx, r.Subject, step, a.Documents)
		if err != nil {
			return e, err
		}
		return s.advance(ctx, e, w, id, next, func(r *run, _ time.Time) error {
			r.Documents = append(r.Documents, docs...)
			return nil
		})
	case plan.Terms:
		return s.advance(ctx, e, w, id, next, func(r *run, _ time.Time) error {
			r.Terms = step.Version
			return nil
		})
	case plan.Enrol:
		k, err := s.enrolment(ctx, r.Subject, step, a.EnrolImage, a.EnrolQuestions)
		if err != nil {
			return e, err
		}
		return s.advance(ctx, e, w, id, next, func(r *run, _ time.Time) error {
			r.Enrolled = k
			return nil
		})
	}
	return e, ErrStep // Operator: nobody answers it with a ticket
}

// confirm takes a contact as it is, or another address for it.
func (s *Service) confirm(ctx context.Context, e store.Entry[run], w *way, id string, step plan.ConfirmContact, a Answers) (store.Entry[run], error) {
	if a.Confirm {
		return s.advance(ctx, e, w, id, e.Value.Step+1, func(*run, time.Time) error { return nil })
	}
	if err := a.Correct.Validate(); err != nil {
		return e, err
	}
	if a.Correct.Channel != step.Channel {
		return e, ErrStep
	}
	// Told now, and not when all has been proved and a day waited for.
	b, err := s.config.Contacts.Snapshot(ctx, e.Value.Subject)
	if err != nil {
		return e, err
	}
	if err := b.Admits(a.Correct); err != nil {
		return e, err
	}
	return s.advance(ctx, e, w, id, e.Value.Step+1, func(r *run, now time.Time) error {
		r.Correct = new(letter.Given(a.Correct))
		if step.Wait > 0 {
			r.Rests = now.Add(step.Wait)
		}
		return nil
	})
}

// describe asks the caller's store about uploads.
func (s *Service) describe(ctx context.Context, subject civicpin.Subject, step plan.Documents, refs map[string]string) ([]document, error) {
	var docs []document
	for _, kind := range step.Kinds {
		ref := refs[kind]
		if ref == "" || len(ref) > 256 {
			return nil, fmt.Errorf("%w: no upload of %s", civicpin.ErrInvalid, kind)
		}
		d, err := s.config.Documents.Describe(ctx, subject, ref)
		if err != nil {
			return nil, err
		}
		switch {
		case !slices.Contains(step.Types, d.Type):
			return nil, fmt.Errorf("%w: %s is not of an allowed type", civicpin.ErrInvalid, kind)
		case d.Size < 1 || d.Size > step.MaxBytes:
			return nil, fmt.Errorf("%w: %s is empty or over %d bytes", civicpin.ErrInvalid, kind, step.MaxBytes)
		case !d.Clean:
			return nil, fmt.Errorf("%w: %s did not pass the scanner", civicpin.ErrInvalid, kind)
		}
		docs = append(docs, document{Kind: kind, Ref: ref, Type: d.Type, Size: d.Size})
	}
	if len(refs) != len(step.Kinds) {
		return nil, ErrStep
	}
	return docs, nil
}
