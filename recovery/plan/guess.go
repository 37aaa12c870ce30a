package plan

import (
	"math"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/lockout"
)

// The chances that a plan's steps leave to a guesser in one try, beside those of codes, which come out of their length.
const (
	// questionChance is that of guessing one answer at the first try (Bonneau et al., WWW 2015: 19.7% for a favourite food).
	questionChance = 0.2
	// factorChance is what is left of a second factor after all its tries: the budget that package otp states for codes of
	// authenticator apps, the weakest of those that it has.
	factorChance = 1e-3
)

// GuessProbability returns the chance that somebody who is not the subject completes the plan before guesses are disabled:
// usual, if they take the contacts as they are, and corrected, if they give an address of their own where a step allows it.
// images is how many images are shown. Facts and the names of contacts get no credit, and what is asked again gets none
// either: each step with questions asks the same ones first. An operator is taken not to be deceived.
func (p Plan) GuessProbability(images int) (usual, corrected float64) {
	tries := float64(p.Limit.Ceiling)
	if tries == 0 {
		tries = lockout.MaxCeiling
	}
	known, possessed, weak := 1.0, 1.0, 1.0
	ask, image := p.asked() // what is asked again is known already
	if image {
		known /= float64(max(1, images))
	}
	known *= math.Pow(questionChance, float64(ask))
	factors := make(map[Factor]bool)
	mayCorrect := civicpin.Channel("")
	for _, s := range p.Steps {
		switch s := s.(type) {
		case Factor:
			if !factors[s] {
				possessed, weak = possessed*factorChance, weak*factorChance
			}
			factors[s] = true
		case Approval:
			possessed, weak = 0, 0
		case ConfirmContact:
			if s.MayCorrect {
				mayCorrect = s.Channel
			}
		}
		if d, ok := SentBy(s); ok {
			chance := d.guess(tries)
			possessed *= chance
			if !slices.Contains(d.Channels, mayCorrect) {
				weak *= chance
			}
		}
	}
	known = min(1, tries*known)
	return known * possessed, known * weak
}

// asked returns how many different questions the visitor answers, and whether the image is asked for.
func (p Plan) asked() (questions int, image bool) {
	for _, s := range p.Steps {
		switch s := s.(type) {
		case Image:
			image = true
		case Questions:
			questions = max(questions, s.Ask)
		}
	}
	return questions, image
}

// guess returns the chance of guessing what was sent, in so many tries.
func (d Delivery) guess(tries float64) float64 {
	if d.Code == 0 {
		return 0 // a link cannot be guessed
	}
	return min(1, tries*math.Pow(2, -code.Unambiguous.Bits(d.Code)))
}
