package recovery

import (
	"cmp"
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/store"
)

// newCatalogue returns what can be enrolled.
func (s *Service) newCatalogue() knowledge.Catalogue {
	var usual int // what plans ask people to enrol
	for _, w := range s.plans {
		usual = max(usual, recoveryrun.Enrols(w.Steps))
	}
	return knowledge.Catalogue{
		Questions: s.config.Questions, Images: s.config.Images, Usual: cmp.Or(usual, knowledge.MaxEnrolled), Hash: s.vault.Hash,
	}
}

// knows returns what a subject enrolled, empty if nothing. It does the same work for every subject.
func (s *Service) knows(ctx context.Context, subject civicpin.Subject) (*knowledge.Knowledge, error) {
	e, err := s.answers.GetOr(ctx, store.Key{Subject: subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	s.catalogue.Prune(&e.Value)
	return &e.Value, nil
}

// Enrolled returns what a subject enrolled: whether an image, and answers to which questions. It is for the authenticated
// subject only. Errors match [civicpin.ErrInvalid] for an invalid subject, or are the store's.
func (s *Service) Enrolled(ctx context.Context, subject civicpin.Subject) (image bool, questions []string, err error) {
	if err := subject.Validate(); err != nil {
		return false, nil, err
	}
	k, err := s.knows(ctx, subject)
	if err != nil {
		return false, nil, err
	}
	return k.Image != "", k.Names(), nil
}

// sameAnswers compares the answers to all the questions asked, and matches if all are right. It hashes once for each of them,
// whatever was enrolled, typed or found so far. The caller has been admitted and is inside the gate.
//
// Once one was compared, the caller hanging up stops nothing: or the try would be given back after a comparison.
func (s *Service) sameAnswers(ctx context.Context, k *knowledge.Knowledge, asked []string,
	given map[string]civicpin.Secret,
) (attempt.Match, error) {
	var matches []attempt.Match
	for _, question := range asked {
		hash, form := k.Hash(question, s.decoys[0], s.decoyText)
		// What cannot be an answer is hashed as nothing, and is wrong even if it fits.
		text, wrong := answer.Normalise(form, given[question].Reveal())
		same, err := attempt.Hash(ctx, s.hashing, s.decoys, hash, text)
		if err != nil {
			return same, err
		}
		ctx = context.WithoutCancel(ctx)
		matches = append(matches, same.If(wrong == nil))
	}
	return attempt.All(matches), nil
}
