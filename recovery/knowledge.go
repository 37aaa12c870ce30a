package recovery

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/store"
)

// knowledge is what a subject enrolled: one sealed record each.
type knowledge struct {
	// Image is kept as it is, under the seal: it has to be among those that are shown, and a hash of one in a few hides nothing.
	Image string `json:"image,omitempty"`
	// Questions are in the order of Config.Questions.
	Questions []answered `json:"questions,omitempty" export:"yes"`
}

// answered is a question with the hash of its answer. Each has a hash of its own, so that any of them can be asked together.
type answered struct {
	Question string `json:"question" export:"yes"`
	// Form is the version of the normal form that was hashed; see package answer.
	Form int    `json:"form"`
	Hash string `json:"hash"`
}

// knows returns what a subject enrolled, empty if nothing. What was since taken out of the configuration is left out: nobody has
// the words or the picture to ask for it.
func (s *Service) knows(ctx context.Context, subject civicpin.Subject) (*knowledge, error) {
	e, err := s.answers.GetOr(ctx, store.Key{Subject: subject}, s.alike.knowledge)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	k := &e.Value
	if !slices.Contains(s.config.Images, k.Image) {
		k.Image = ""
	}
	k.Questions = slices.DeleteFunc(k.Questions, func(a answered) bool { return !slices.Contains(s.config.Questions, a.Question) })
	return k, nil
}

// names returns the questions that were enrolled.
func (k *knowledge) names() []string {
	var list []string
	for _, a := range k.Questions {
		list = append(list, a.Question)
	}
	return list
}

// Enrolled returns what a subject enrolled: whether an image, and answers to which questions. It is for the citizen who has
// logged in: a visitor is shown the same whether anything was enrolled or not. Errors: [civicpin.ErrInvalid]; the store's.
func (s *Service) Enrolled(ctx context.Context, subject civicpin.Subject) (image bool, questions []string, err error) {
	if err := subject.Validate(); err != nil {
		return false, nil, err
	}
	k, err := s.knows(ctx, subject)
	if err != nil {
		return false, nil, err
	}
	return k.Image != "", k.names(), nil
}

// sameImage reports whether an image is the one that was enrolled.
func (k *knowledge) sameImage(image string) bool {
	given, own := sha256.Sum256([]byte(image)), sha256.Sum256([]byte(k.Image))
	return subtle.ConstantTimeCompare(given[:], own[:]) == 1 && image != ""
}

// sameAnswers reports whether the answers to all the questions asked are right. It hashes once for each of them, whatever was
// enrolled, typed or found so far. The caller has been admitted and is inside the gate.
//
// Once one was compared, the caller hanging up stops nothing: or the try would be given back after a comparison.
func (s *Service) sameAnswers(ctx context.Context, k *knowledge, asked []string, given map[string]civicpin.Secret) (bool, error) {
	right := len(asked) > 0
	for _, question := range asked {
		hash, form := s.enrolledHash(k, question)
		// What cannot be an answer is hashed as nothing, and is wrong even if it fits.
		text, wrong := answer.Normalise(form, given[question].Reveal())
		same := false
		if err := s.hashing.Run(ctx, func() { same = hash.Verify(text) }); err != nil {
			return false, err
		}
		ctx = context.WithoutCancel(ctx)
		right = right && same && wrong == nil
	}
	return right, nil
}

// enrolledHash returns the hash of the answer to a question, and the form that it was made of. Where there is none that can be
// read, it is one that nothing fits: an error would be a try given back.
func (s *Service) enrolledHash(k *knowledge, question string) (password.Hash, int) {
	own := answered{Form: answer.Version, Hash: s.alike.hash}
	for _, a := range k.Questions {
		if a.Question == question {
			own = a
		}
	}
	if hash, err := password.Parse(own.Hash); err == nil { // a decoy's takes as long to parse
		return hash, own.Form
	}
	return s.dummy, answer.Version
}
