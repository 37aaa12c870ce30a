package recovery

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Hashes returns how many hashes a service has run.
func Hashes(s *Service) int64 { return s.hashing.Total() }

// Forge returns the token of a kind, record and number whose verifier is all zeros, and the hash that a record keeps of it.
func Forge(kind byte, id string, n int) (civicpin.Secret, []byte) {
	t := token.Token{Kind: token.Kind(kind), Selector: id, N: n, Verifier: make([]byte, token.VerifierSize)}
	return t.Text(), t.Hash()
}

// Plain returns all runs, contacts and enrolled answers as they are before they are sealed.
func Plain(ctx context.Context, s *Service) (string, error) {
	kind, err := store.NewKind[contactbook.Book](s.vault, "contact.book")
	if err != nil {
		return "", err
	}
	runs, err1 := testkit.Plain(ctx, s.runs)
	books, err2 := testkit.Plain(ctx, kind)
	answers, err3 := testkit.Plain(ctx, s.answers)
	return runs + books + answers, errors.Join(err1, err2, err3)
}

// HoldAnswers takes a permit to hash, as somebody else's hash does, and calls f while it is held.
func HoldAnswers(ctx context.Context, s *Service, f func()) error { return s.hashing.Run(ctx, f) }

// Owner returns a service as the outbox sees it.
func Owner(s *Service) outbox.Owner { return (*delivery)(s) }

// UsualAnswers returns how many answers a decoy has.
func UsualAnswers(s *Service) int { return s.catalogue.Usual }

// PlanGate returns the gate of a plan.
func PlanGate(s *Service, name string) *lockout.Gate { return s.plans[name].gate }

// ShownImages returns the images that are shown for a subject who enrolled own; "" for nobody's.
func ShownImages(s *Service, subject civicpin.Subject, own string) []string {
	return s.catalogue.Shown(subject, &knowledge.Knowledge{Image: own})
}

// PickedQuestions returns the questions that a subject is asked who enrolled some, none if nobody.
func PickedQuestions(s *Service, subject civicpin.Subject, enrolled []string, n int) []string {
	k := &knowledge.Knowledge{}
	for _, q := range enrolled {
		k.Questions = append(k.Questions, knowledge.Answer{Question: q})
	}
	return s.catalogue.Pick(subject, k, n)
}

// PlainAnswers returns what is kept of a subject before it is sealed.
func PlainAnswers(ctx context.Context, s *Service, subject civicpin.Subject) (string, error) {
	e, err := s.answers.Get(ctx, store.Key{Subject: subject})
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(e.Value)
	return string(text), err
}

// AlterAnswers changes the form and hash of each answer of a subject as they are kept.
func AlterAnswers(ctx context.Context, s *Service, subject civicpin.Subject, alter func(form *int, hash *string)) error {
	_, err := s.answers.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[knowledge.Knowledge]) error {
		for i := range e.Value.Questions {
			alter(&e.Value.Questions[i].Form, &e.Value.Questions[i].Hash)
		}
		return nil
	})
	return err
}

// HashOfNothing returns the stored form of the hash that what cannot be an answer is compared as.
func HashOfNothing(s *Service) string { return password.New(s.params, "").Encode() }

// OccupyAnswers takes n places in front of the hashing until the returned function is called.
func OccupyAnswers(s *Service, n int) (release func()) { return testkit.Occupy(s.hashing, n) }

// SameImage reports whether an image is the one that was enrolled.
func SameImage(own, image string) bool { return attempt.Text(context.Background(), image, own).Right() }
