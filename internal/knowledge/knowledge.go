// Package knowledge decides about what a subject enrolled to be recognised by: an image, and answers to questions. It does no
// I/O and hashes no answer; package recovery does.
package knowledge

import (
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/pin/rule"
)

const (
	// MaxShown is how many images are shown at the most: what fits a page of a telephone.
	MaxShown = 12
	// MaxEnrolled is how many answers a subject has at the most.
	MaxEnrolled = 8
)

// Knowledge is what a subject enrolled. It is stored as one record.
type Knowledge struct {
	// Image is kept as it is, under the seal: it has to be among those that are shown, and a hash of one in a few hides
	// nothing.
	Image string `json:"image,omitempty"`
	// Questions are in the order of the catalogue.
	Questions []Answer `json:"questions,omitempty" export:"yes"`
}

// An Answer is a question with the hash of its answer. Each has a hash of its own, so that any of them can be asked together.
type Answer struct {
	Question string `json:"question" export:"yes"`
	// Form is the version of the normal form that was hashed; see package answer.
	Form int    `json:"form"`
	Hash string `json:"hash"`
}

// Names returns the questions that were enrolled.
func (k *Knowledge) Names() []string {
	var list []string
	for _, a := range k.Questions {
		list = append(list, a.Question)
	}
	return list
}

// Answer returns the answer to a question, false if there is none.
func (k *Knowledge) Answer(question string) (Answer, bool) {
	for _, a := range k.Questions {
		if a.Question == question {
			return a, true
		}
	}
	return Answer{}, false
}

// Hash returns the hash of the answer to a question, and the form that it was made of. Where there is none that can be read, it
// is the decoy, of that text: nothing fits it, and it takes as long to parse. An error would be a try given back.
func (k *Knowledge) Hash(question string, decoy password.Hash, text string) (password.Hash, int) {
	own, ok := k.Answer(question)
	if !ok {
		own = Answer{Form: answer.Version, Hash: text}
	}
	if hash, err := password.Parse(own.Hash); err == nil {
		return hash, own.Form
	}
	return decoy, answer.Version
}

// String says for the log what was enrolled.
func (k *Knowledge) String() string {
	image := "no image"
	if k.Image != "" {
		image = "an image"
	}
	return fmt.Sprintf("%s, %d answers", image, len(k.Questions))
}

// Put replaces what is new in other.
func (k *Knowledge) Put(other *Knowledge) {
	if other.Image != "" {
		k.Image = other.Image
	}
	if len(other.Questions) > 0 {
		k.Questions = other.Questions
	}
}

// A Catalogue is what can be enrolled.
type Catalogue struct {
	Questions, Images []string
	// Usual is how many answers a subject enrols as a rule.
	Usual int
	// Hash is keyed: its order is unlike any other to an attacker who has no key.
	Hash func(purpose string, parts ...string) [32]byte
}

// Prune drops what was taken out of the catalogue since: there are no words and no picture to ask for it with.
func (c *Catalogue) Prune(k *Knowledge) {
	if !slices.Contains(c.Images, k.Image) {
		k.Image = ""
	}
	k.Questions = slices.DeleteFunc(k.Questions, func(a Answer) bool { return !slices.Contains(c.Questions, a.Question) })
}

// Decoy returns what most subjects enrolled, with the hash of nothing.
func (c *Catalogue) Decoy(hash string) Knowledge {
	var k Knowledge
	if len(c.Images) > 0 {
		k.Image = c.Images[0]
	}
	for _, q := range c.Questions[:min(4, len(c.Questions))] {
		k.Questions = append(k.Questions, Answer{Question: q, Form: answer.Version, Hash: hash})
	}
	return k
}

// Choose checks an image and answers that a subject chooses, and returns them without hashes, with the texts to be hashed. A
// refused answer gives its question and an *[answer.Error]; what is not in the catalogue matches [civicpin.ErrInvalid].
func (c *Catalogue) Choose(subject civicpin.Subject, image string, answers map[string]civicpin.Secret) (
	k *Knowledge, texts []string, question string, err error,
) {
	if image != "" && !slices.Contains(c.Images, image) {
		return nil, nil, "", fmt.Errorf("%w: the image is none of Config.Images", civicpin.ErrInvalid)
	}
	k = &Knowledge{Image: image}
	for _, question := range c.Questions { // not in the map's order: the first rule broken is then the same each time
		typed, ok := answers[question]
		if !ok {
			continue
		}
		text, err := answer.Normalise(answer.Version, typed.Reveal())
		if err == nil {
			err = answer.Check(text, question, string(subject))
		}
		if err == nil && slices.ContainsFunc(texts, func(other string) bool { return answer.Alike(text, other) }) {
			err = &answer.Error{Rule: rule.Same}
		}
		if err != nil {
			return nil, nil, question, err
		}
		texts = append(texts, text)
		k.Questions = append(k.Questions, Answer{Question: question, Form: answer.Version})
	}
	if len(texts) != len(answers) {
		return nil, nil, "", fmt.Errorf("%w: a question is none of Config.Questions", civicpin.ErrInvalid)
	}
	return k, texts, "", nil
}
