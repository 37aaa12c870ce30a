package recovery

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

type knowledge struct {
	Image     string     `json:"image,omitempty"`
	Questions []answered `json:"questions,omitempty"`
}

type answered struct {
	Question string `json:"question"`
	Hash     string `json:"hash"`
}

func (s *Service) knows(ctx context.Context, subject civicpin.Subject) (*knowledge, error) {
	e, err := s.answers.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &e.Value, nil
}

func (s *Service) images(subject civicpin.Subject, k *knowledge) []string { return nil }
func (s *Service) pick(subject civicpin.Subject, k *knowledge, epoch uint64, n int) []string {
	return nil
}

func (s *Service) sameImage(ctx context.Context, k *knowledge, image string) (bool, error) {
	return false, nil
}

func (s *Service) sameAnswers(ctx context.Context, k *knowledge, asked []string, given map[string]civicpin.Secret) (bool, error) {
	return false, nil
}

func (s *Service) enrolment(ctx context.Context, subject civicpin.Subject, step Enrol, image string, answers map[string]civicpin.Secret) (*knowledge, error) {
	return nil, nil
}

func (s *Service) keepEnrolled(ctx context.Context, subject civicpin.Subject, k *knowledge) error {
	return nil
}
