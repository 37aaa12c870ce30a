package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/lockout"
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
// [ErrExpired]; [ErrGone]; [civicpin.ErrInvalid] for contacts or uploads that cannot be; [ErrContacts] for a corrected contact where
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
		return s.view(t.selector, r), ErrWaiting
	}
	if r.Step >= len(w.Steps) {
		return s.view(t.selector, r), ErrStep
	}
	if err := w.fits(r, &a); err != nil {
		return s.view(t.selector, r), err
	}
	step := r.Step
	e, err = s.take(ctx, e, w, t.selector, a)
	if err != nil {
		return Run{}, err
	}
	s.record(ctx, eventStep, t.selector, &e.Value, civicpin.Citizen, a.Source, w.named(step))
	e, err = s.arrive(ctx, e, w, a.Source)
	return s.view(t.selector, &e.Value), err
}

// named says which step it is, for the log.
func (w *way) named(step int) string {
	if terms, ok := w.Steps[step].(Terms); ok {
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
	case Captcha:
		return s.advance(ctx, e, w, id, next, plain)
	case Facts, Image, Questions, Contacts:
		return s.guess(ctx, e, w, id, w.Steps[r.Step:next], a, nil)
	case ConfirmContact:
		return s.confirm(ctx, e, w, id, step, a)
	case Link, Code:
		return s.typed(ctx, e, w, id, a)
	case Factor:
		return s.factor(ctx, e, w, id, string(step), a)
	case Documents:
		docs, err := s.describe(ctx, r.Subject, step, a.Documents)
		if err != nil {
			return e, err
		}
		return s.advance(ctx, e, w, id, next, func(r *run, _ time.Time) error {
			r.Documents = append(r.Documents, docs...)
			return nil
		})
	case Terms:
		return s.advance(ctx, e, w, id, next, func(r *run, _ time.Time) error {
			r.Terms = step.Version
			return nil
		})
	case Enrol:
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

// fits checks that the answers are to what is asked, and to nothing else: an answer that is passed over would look like one
// that was right.
func (w *way) fits(r *run, a *Answers) error {
	var want Answers
	for _, step := range w.Steps[r.Step:w.group(r.Step)] {
		switch step := step.(type) {
		case Captcha:
			if !a.Captcha {
				return ErrStep
			}
			want.Captcha = true
		case Facts:
			if len(a.Facts) != len(step) {
				return ErrStep
			}
			for _, name := range step {
				if v, ok := a.Facts[name]; !ok || len(v) > maxFact {
					return ErrStep
				}
			}
			want.Facts = a.Facts
		case Image:
			if !slices.Contains(r.Images, a.Image) {
				return ErrStep
			}
			want.Image = a.Image
		case Questions:
			if !answersAll(r.asked(step.Ask), a.Questions) {
				return ErrStep
			}
			want.Questions = a.Questions
		case Contacts:
			if err := step.check(a.Contacts); err != nil {
				return err
			}
			want.Contacts = a.Contacts
		case ConfirmContact:
			if a.Confirm == (a.Correct != civicpin.Contact{}) || !a.Confirm && !step.MayCorrect {
				return ErrStep
			}
			want.Confirm, want.Correct = a.Confirm, a.Correct
		case Link, Code:
			if _, _, _, n, _ := sent(step); n == 0 || a.Code.IsZero() {
				return ErrStep
			}
			want.Code = a.Code
		case Factor:
			if a.Factor.IsZero() {
				return ErrStep
			}
			want.Factor = a.Factor
		case Documents:
			want.Documents = a.Documents
		case Terms:
			if a.Terms != step.Version {
				return ErrStep
			}
			want.Terms = a.Terms
		case Enrol:
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

// maxFact bounds a fact in bytes.
const maxFact = 256

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

// check checks that contacts can be what is asked for.
func (c Contacts) check(given []civicpin.Contact) error {
	if len(given) < c.AtLeast || len(given) > maxContacts {
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

// admit takes a place in front of the hashing, before anything is counted, so that a refusal costs nobody a try.
func (s *Service) admit(ctx context.Context) (leave func(), err error) {
	leave, err = s.hashing.Enter(ctx)
	if errors.Is(err, password.ErrBusy) {
		err = ErrBusy
	}
	return leave, err
}

// guess compares answers inside the plan's gate, all of them whatever the first comes to, and advances the run if all are
// right. also, if given, changes the run with it.
func (s *Service) guess(ctx context.Context, e store.Entry[run], w *way, id string, steps []Step, a Answers, also func(*run, time.Time) error,
) (store.Entry[run], error) {
	leave, err := s.admit(ctx)
	if err != nil {
		return e, err
	}
	defer leave()
	r := &e.Value
	why := ""
	err = w.gate.Do(ctx, lockout.Key{Subject: r.Subject, Source: a.Source}, func(ctx context.Context) (bool, error) {
		right, named, err := s.right(ctx, r, steps, a)
		if err != nil {
			return false, err
		}
		if !r.Known {
			why = "unknown"
			return false, lockout.ErrNoSubject
		}
		if !right {
			why = "wrong"
			if w.Begin { // nobody knows yet whether there is such a subject: see lockout.Policy.Forget
				return false, lockout.ErrNoSubject
			}
			return false, nil
		}
		e, err = s.advance(ctx, e, w, id, r.Step+len(steps), func(r *run, now time.Time) error {
			if named != nil {
				r.Named = named
			}
			if also != nil {
				return also(r, now)
			}
			return nil
		})
		// After a right comparison nothing may be refunded but what another right answer overtook.
		return err == nil, err
	})
	if err != nil {
		s.record(ctx, eventRefused, id, r, civicpin.Citizen, a.Source, refusal(err, why))
	}
	return e, err
}

// right makes every comparison that the steps call for. All that has to be read is read first: once something was compared,
// neither the store nor a caller who hangs up may give the try back.
func (s *Service) right(ctx context.Context, r *run, steps []Step, a Answers) (right bool, named []contact, err error) {
	var k *knowledge
	var b *book
	for _, step := range steps {
		switch step.(type) {
		case Image, Questions, Operator:
			if k == nil {
				k, err = s.knows(ctx, r.Subject)
			}
		case Contacts:
			if b == nil {
				b, err = s.book(ctx, r.Subject)
			}
		}
		if err != nil {
			return false, nil, err
		}
	}
	right = true
	for _, step := range steps { // there is one such step at the most, and the register may fail: before all others
		if _, ok := step.(Facts); ok {
			if right, err = s.config.Register.Check(ctx, r.Subject, a.Facts); err != nil {
				return false, nil, err
			}
			ctx = context.WithoutCancel(ctx)
		}
	}
	for _, step := range steps {
		ok := true
		switch step := step.(type) {
		case Image:
			ok = k.sameImage(a.Image)
		case Questions:
			ok, err = s.sameAnswers(ctx, k, r.asked(step.Ask), a.Questions)
		case Operator:
			ok, err = s.sameAnswers(ctx, k, r.asked(step.Questions), a.Questions)
		case Contacts:
			named, ok = s.sameContacts(b, a.Contacts)
		}
		if err != nil {
			return false, nil, err
		}
		ctx = context.WithoutCancel(ctx)
		right = right && ok
	}
	return right, named, nil
}

// refusal says for the log why answers were refused: why is what the comparison found, empty if there was none.
func refusal(err error, why string) string {
	_, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case why != "" && (locked || errors.Is(err, ErrRefused)):
		return why
	case locked:
		return "locked"
	case errors.Is(err, ErrBusy):
		return "busy"
	case errors.Is(err, ErrExpired):
		return "expired"
	}
	return "not checked"
}

// factor has one of Config.Factors check what was typed. It limits guesses itself.
func (s *Service) factor(ctx context.Context, e store.Entry[run], w *way, id, name string, a Answers) (store.Entry[run], error) {
	r := &e.Value
	err := s.config.Factors[name](ctx, r.Subject, a.Factor, a.Source)
	if err == nil && !r.Known {
		err = ErrRefused
	}
	if err != nil {
		s.record(ctx, eventRefused, id, r, civicpin.Citizen, a.Source, "factor")
		return e, err
	}
	return s.advance(ctx, e, w, id, r.Step+1, func(*run, time.Time) error { return nil })
}

// confirm takes a contact as it is, or another address for it.
func (s *Service) confirm(ctx context.Context, e store.Entry[run], w *way, id string, step ConfirmContact, a Answers) (store.Entry[run], error) {
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
	b, err := s.book(ctx, e.Value.Subject)
	if err != nil {
		return e, err
	}
	if _, err := b.displaced(stored(a.Correct)); err != nil {
		return e, err
	}
	return s.advance(ctx, e, w, id, e.Value.Step+1, func(r *run, now time.Time) error {
		r.Correct = &pendingContact{Channel: a.Correct.Channel, Address: a.Correct.Address, Locale: a.Correct.Locale}
		if step.Wait > 0 {
			r.Rests = now.Add(step.Wait)
		}
		return nil
	})
}

// describe asks the caller's store about uploads.
func (s *Service) describe(ctx context.Context, subject civicpin.Subject, step Documents, refs map[string]string) ([]document, error) {
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
