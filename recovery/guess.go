package recovery

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

// guess compares answers inside the plan's gate, and advances the run if all are right.
func (v *visit) guess(ctx context.Context, steps []plan.Step, a Answers) error {
	to := v.run().Step + len(steps)
	return v.compare(ctx, steps, a, func(ctx context.Context, named []civicpin.Contact) error {
		var stored []letter.Contact
		for _, c := range named {
			stored = append(stored, letter.Stored(c))
		}
		return v.advance(ctx, to, func(r *run, _ time.Time) error {
			if stored != nil {
				r.Named = stored
			}
			return nil
		})
	})
}

// compare compares all answers inside the plan's gate, whatever the first comes to, and calls then if all are right.
func (v *visit) compare(ctx context.Context, steps []plan.Step, a Answers,
	then func(ctx context.Context, named []civicpin.Contact) error,
) error {
	return v.way.answers.Do(ctx, v.guesses(), func(ctx context.Context) (attempt.Finding, error) {
		match, named, err := v.right(ctx, steps, a)
		switch {
		case err != nil:
			return attempt.Finding{}, err
		case !v.run().Leads():
			return attempt.Found(match, false, attempt.Unknown), nil
		case !match.Right():
			// If the plan creates credentials, it is not known yet whether there is such a subject: see lockout.Policy.Forget.
			return attempt.Found(match, !v.way.Creates, attempt.Wrong), nil
		}
		// After a right comparison nothing may be refunded but what another right answer overtook.
		return attempt.Found(match, true, ""), then(ctx, named)
	})
}

// guesses returns what guesses at the run count for.
func (v *visit) guesses() *attempt.Guess {
	return &attempt.Guess{
		By: v.by, Target: lockout.Target{Subject: v.run().Subject, Source: v.source},
		Address: v.run().Source, Ref: v.run().Plan + "/" + v.id(),
	}
}

// right makes every comparison that the steps call for. All that has to be read is read first: once something was compared,
// neither the store nor a caller who hangs up may give the try back.
func (v *visit) right(ctx context.Context, steps []plan.Step, a Answers) (
	match attempt.Match, named []civicpin.Contact, err error,
) {
	r := v.run()
	k, contacts, err := v.stored(ctx, steps)
	if err != nil {
		return match, nil, err
	}
	var matches []attempt.Match
	for _, step := range steps { // there is one such step at the most, and the register may fail: before all others
		if _, ok := step.(plan.Facts); ok {
			right, err := v.config.Register.Check(ctx, r.Subject, a.Facts)
			if err != nil {
				return match, nil, err
			}
			matches = append(matches, attempt.Told(ctx, right))
			ctx = context.WithoutCancel(ctx)
		}
	}
	for _, step := range steps {
		var same attempt.Match
		switch step := step.(type) {
		case plan.Facts:
			continue
		case plan.Image:
			same = attempt.Text(ctx, a.Image, k.Image)
		case plan.Questions:
			same, err = v.sameAnswers(ctx, k, r.AskedFirst(step.Ask), a.Questions)
		case plan.Approval:
			same, err = v.sameAnswers(ctx, k, r.AskedFirst(step.Questions), a.Questions)
		case plan.Contacts:
			var all bool
			named, all = contacts.Match(ctx, a.Contacts)
			same = attempt.Told(ctx, all)
		}
		if err != nil {
			return match, nil, err
		}
		matches = append(matches, same)
		ctx = context.WithoutCancel(ctx)
	}
	return attempt.All(matches), named, nil
}

// stored reads what the steps compare with.
func (v *visit) stored(ctx context.Context, steps []plan.Step) (k *knowledge.Knowledge, contacts *contact.Snapshot, err error) {
	for _, step := range steps {
		switch step.(type) {
		case plan.Image, plan.Questions, plan.Approval:
			if k == nil {
				k, err = v.knows(ctx, v.run().Subject)
			}
		case plan.Contacts:
			if contacts == nil {
				contacts, err = v.config.Contacts.Snapshot(ctx, v.run().Subject)
			}
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return k, contacts, nil
}

// typed checks a code that was typed. Wrong codes end the run; over all runs, they are counted apart from answers.
func (v *visit) typed(ctx context.Context, typed civicpin.Secret) error {
	r, left := v.run(), 0
	if len(r.Links) == 0 { // the limits of messages let none through: there is nothing to compare, and nothing counts
		return ErrWrongStep
	}
	err := v.way.codes.Do(ctx, v.guesses(), func(ctx context.Context) (attempt.Finding, error) {
		err := v.change(ctx, func(r *run, _ time.Time) (err error) {
			left, err = r.Try(v.way.Limit.Limit)
			return err
		})
		if err != nil {
			return attempt.Finding{}, err
		}
		text, _ := code.Unambiguous.Normalise(typed.Reveal())
		i, match := attempt.Typed(ctx, r.Links, text, func(l *token.Link) []byte { return v.tag(l, text) })
		switch {
		case !r.Leads():
			return attempt.Found(match, false, attempt.Unknown), nil
		case !match.Right():
			return attempt.Found(match, true, attempt.Wrong), nil
		case !v.vault.Now().Before(r.Links[i].Expires): // right, so no failure; but no success, which would reset the count
			return attempt.Finding{}, ErrExpired
		}
		used := r.Links[i]
		return attempt.Found(match, true, ""), v.advance(ctx, r.Step+1, func(r *run, _ time.Time) error {
			if !token.Outstanding(r.Links, used.N) {
				return ErrGone
			}
			r.Proved(used.To)
			return nil
		})
	})
	switch {
	case !errors.Is(err, ErrRefused):
		return recoveryrun.Gone(err)
	case left > 0:
		return &lockout.RefusedError{Left: left}
	}
	err = v.change(ctx, func(r *run, _ time.Time) error {
		r.Close(recoveryrun.Cancelled)
		return nil
	})
	if err == nil {
		v.record(ctx, recoveryrun.EventCancelled, "wrong codes")
		err = ErrGone
	}
	return recoveryrun.Gone(err)
}

// factor has one of Config.Factors check what was typed. It limits guesses itself.
func (v *visit) factor(ctx context.Context, name string, typed civicpin.Secret) error {
	err, why := v.config.Factors[name](ctx, v.run().Subject, typed, v.source), attempt.Factor
	if err == nil && !v.run().Leads() {
		err, why = ErrRefused, attempt.Unknown
	}
	if err != nil {
		v.recordBy(ctx, civicpin.Visitor, recoveryrun.EventRefused, string(attempt.Reason(err, why)))
		return err
	}
	return v.pass(ctx)
}
