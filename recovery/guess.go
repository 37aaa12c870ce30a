package recovery

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// admit takes a place in front of the hashing, before anything is counted, so that a refusal costs nobody a try.
func (s *Service) admit(ctx context.Context) (leave func(), err error) {
	leave, err = s.hashing.Enter(ctx)
	if errors.Is(err, password.ErrBusy) {
		err = ErrBusy
	}
	return leave, err
}

// guess compares answers inside the plan's gate, and advances the run if all are right. also, if given, changes the run with
// it.
func (s *Service) guess(ctx context.Context, e store.Entry[run], w *way, id string, steps []plan.Step, a Answers, also func(*run, time.Time) error,
) (store.Entry[run], error) {
	to := e.Value.Step + len(steps)
	err := s.compare(ctx, &e.Value, w, id, steps, a, func(ctx context.Context, named []civicpin.Contact) error {
		var err error
		e, err = s.advance(ctx, e, w, id, to, func(r *run, now time.Time) error {
			if named != nil {
				r.Named = letters(named)
			}
			if also != nil {
				return also(r, now)
			}
			return nil
		})
		return err
	})
	return e, err
}

// compare compares answers inside the plan's gate, all of them whatever the first comes to, and calls then there if all are
// right.
func (s *Service) compare(ctx context.Context, r *run, w *way, id string, steps []plan.Step, a Answers,
	then func(ctx context.Context, named []civicpin.Contact) error,
) error {
	leave, err := s.admit(ctx)
	if err != nil {
		return err
	}
	defer leave()
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
		// After a right comparison nothing may be refunded but what another right answer overtook.
		err = then(ctx, named)
		return err == nil, err
	})
	if err != nil {
		s.record(ctx, eventRefused, id, r, civicpin.Citizen, a.Source, refusal(err, why))
	}
	return err
}

// right makes every comparison that the steps call for. All that has to be read is read first: once something was compared,
// neither the store nor a caller who hangs up may give the try back.
func (s *Service) right(ctx context.Context, r *run, steps []plan.Step, a Answers) (right bool, named []civicpin.Contact, err error) {
	var k *knowledge
	var b *contact.Snapshot
	for _, step := range steps {
		switch step.(type) {
		case plan.Image, plan.Questions, plan.Operator:
			if k == nil {
				k, err = s.knows(ctx, r.Subject)
			}
		case plan.Contacts:
			if b == nil {
				b, err = s.config.Contacts.Snapshot(ctx, r.Subject)
			}
		}
		if err != nil {
			return false, nil, err
		}
	}
	right = true
	for _, step := range steps { // there is one such step at the most, and the register may fail: before all others
		if _, ok := step.(plan.Facts); ok {
			if right, err = s.config.Register.Check(ctx, r.Subject, a.Facts); err != nil {
				return false, nil, err
			}
			ctx = context.WithoutCancel(ctx)
		}
	}
	for _, step := range steps {
		ok := true
		switch step := step.(type) {
		case plan.Image:
			ok = k.sameImage(a.Image)
		case plan.Questions:
			ok, err = s.sameAnswers(ctx, k, r.asked(step.Ask), a.Questions)
		case plan.Operator:
			ok, err = s.sameAnswers(ctx, k, r.asked(step.Questions), a.Questions)
		case plan.Contacts:
			named, ok = b.Match(a.Contacts)
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
