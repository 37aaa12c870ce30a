package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// An AnswerError says which rule a chosen answer breaks. Tell it to the subject. It matches [civicpin.ErrInvalid].
type AnswerError struct {
	Question string    // that the answer was chosen for
	Rule     rule.Rule // that the answer breaks
}

// Error names the question and the rule, never the answer.
func (e *AnswerError) Error() string {
	return fmt.Sprintf("recovery: answer to %q may not be chosen: %s", e.Question, e.Rule)
}

// Is reports whether target is [civicpin.ErrInvalid].
func (e *AnswerError) Is(target error) bool { return target == civicpin.ErrInvalid }

// EnrolAnswers stores an image, answers to questions, or both, that a subject chooses outside a plan. Call it only for a
// subject who has just logged in, as strongly as they can: these answers later open a recovery.
//
// An image replaces the former one; "" leaves it. Answers replace all former ones; nil leaves them. They are as many as any
// plan asks at once, or more, up to 8, to different questions of Config.Questions. What is new starts with no failures counted
// against it, for each plan that asks for nothing else of what was enrolled.
//
// It hashes each answer, one after the other. Errors, all but the last before anything changes:
//   - *[AnswerError]: an answer breaks a rule.
//   - [civicpin.ErrInvalid]: the image or a question is not in the configuration.
//   - [ErrBusy], and the store's: enrol again, which does no harm.
func (s *Service) EnrolAnswers(ctx context.Context, subject civicpin.Subject, image string, answers map[string]civicpin.Secret,
	source civicpin.Source,
) error {
	if err := errors.Join(subject.Validate(), source.Validate()); err != nil {
		return err
	}
	if image == "" && len(answers) == 0 {
		return fmt.Errorf("%w: neither an image nor answers", civicpin.ErrInvalid)
	}
	if n := len(answers); n > 0 && (n < s.fewest() || n > knowledge.MaxEnrolled) {
		return fmt.Errorf("%w: not %d to %d answers", civicpin.ErrInvalid, s.fewest(), knowledge.MaxEnrolled)
	}
	k, err := s.chosen(ctx, subject, image, answers)
	if err != nil {
		return err
	}
	return s.keepEnrolled(ctx, subject, k, source)
}

// fewest is how many answers a subject needs so that each plan can ask its questions.
func (s *Service) fewest() int {
	n := 1
	for _, w := range s.plans {
		questions, _ := w.Asks()
		n = max(n, questions)
	}
	return n
}

// enrolment checks and hashes what a visitor chose at a step. Nothing is kept before the run is completed.
func (s *Service) enrolment(ctx context.Context, subject civicpin.Subject, step plan.Enrol, image string,
	answers map[string]civicpin.Secret,
) (*knowledge.Knowledge, error) {
	if step.Image == (image == "") {
		return nil, fmt.Errorf("%w: no image, or one that was not asked for", civicpin.ErrInvalid)
	}
	if len(answers) != step.Questions {
		return nil, fmt.Errorf("%w: not %d answers", civicpin.ErrInvalid, step.Questions)
	}
	return s.chosen(ctx, subject, image, answers)
}

// chosen checks an image and answers, all before the first is hashed.
func (s *Service) chosen(ctx context.Context, subject civicpin.Subject, image string,
	answers map[string]civicpin.Secret,
) (*knowledge.Knowledge, error) {
	k, texts, question, err := s.catalogue.Choose(subject, image, answers)
	if broken, ok := errors.AsType[*answer.Error](err); ok {
		return nil, &AnswerError{Question: question, Rule: broken.Rule}
	}
	if err != nil || len(texts) == 0 {
		return k, err
	}
	ctx, leave, err := attempt.Enter(ctx, s.hashing)
	if err != nil {
		return nil, err
	}
	defer leave()
	for i, text := range texts {
		err := s.hashing.Run(ctx, func() { k.Questions[i].Hash = password.New(s.params, text).Encode() })
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

// keepEnrolled keeps what a subject chose, and forgets the failures at what it replaced. It can be done twice.
//
// The record is written first: if the process dies behind that, the new answers stand with the old count, which an agency can
// lift. The other way round, the old answers would have got new tries.
func (s *Service) keepEnrolled(ctx context.Context, subject civicpin.Subject, k *knowledge.Knowledge,
	source civicpin.Source,
) error {
	if k == nil {
		return nil
	}
	_, err := s.answers.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[knowledge.Knowledge]) error {
		e.Value.Put(k)
		return nil
	})
	if err != nil {
		return err
	}
	s.vault.Record(ctx, civicpin.Event{
		Code: recoveryrun.EventEnrolled, Subject: subject, By: civicpin.Citizen, Source: source, Reason: k.String(),
	})
	for _, name := range slices.Sorted(maps.Keys(s.plans)) {
		if w := s.plans[name]; recoveryrun.Rebinds(w.Plan, k) {
			if err := w.gate.Rebind(ctx, lockout.Target{Subject: subject}, civicpin.Citizen); err != nil {
				return err
			}
		}
	}
	return nil
}
