package recovery

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// An Outcome is what a completed plan comes to.
type Outcome string

// The outcomes.
const (
	// ChooseSecret gives a grant for [pin.Service.Set].
	ChooseSecret Outcome = "choose-secret"
	// ReissueInParts gives a grant for [pin.Service.Reissue], to contacts that the subject has proved.
	ReissueInParts Outcome = "reissue-in-parts"
	// Unlocked ends the lock that wrong logins brought about, if there is one.
	Unlocked Outcome = "unlocked"
)

const (
	minute = time.Minute
	day    = 24 * time.Hour

	defaultValid     = time.Hour
	defaultGrant     = 15 * minute
	defaultRepudiate = 7 * day
	maxSteps         = 16
)

// A Plan is one way to a new secret, or out of a lock: steps in their order, and what follows. It is plain data.
type Plan struct {
	// Name names the plan, "iess-clave"; runs and counts go by it, so never change it. 1 to 32 ASCII letters, digits and "-_.".
	Name string
	// Steps are asked for in this order; guesses that follow each other (Facts, Image, Questions, Contacts) together.
	Steps []Step
	// Limit says how many wrong guesses at a subject are borne, over all runs of the plan; codes that are sent and typed are
	// counted apart by the same policy. Its Name is set from the plan's.
	Limit lockout.Policy
	// Outcome is what a completed run comes to. Required.
	Outcome Outcome
	// Begin says that the plan is for somebody who has no credential yet, or whose was revoked: it begins one, at level Low. For
	// everybody else such a plan leads nowhere. Only with ChooseSecret.
	//
	// If an address that the visitor gives can be its only proof, and it rests for less than a day, it leads nowhere after a
	// revocation, either: whoever knows the facts would have the account of somebody whom the office has just protected.
	Begin bool
	// Valid is how long a run may take, apart from the time that it rests. Zero means one hour; at most 7 days.
	Valid time.Duration
	// Grant is how long the grant may wait for its use. Zero means 15 minutes; at most 24 hours.
	Grant time.Duration
	// Repudiate is for how long whoever is told of a completed recovery can say that it was not theirs, which suspends the
	// credential. Zero means 7 days; 1 to 60.
	Repudiate time.Duration
	// Exception names the reason, for the reader of the plan, why a chance of guessing above pin.Budget is accepted, or that
	// one member of staff alone could choose somebody's secret. Empty means that it is not.
	Exception string
}

// withDefaults returns a copy with its zero fields filled in, sharing nothing that the caller may change.
func (p Plan) withDefaults() Plan {
	p.Steps = slices.Clone(p.Steps)
	for i, s := range p.Steps {
		switch s := s.(type) {
		case Facts:
			p.Steps[i] = slices.Clone(s)
		case Contacts:
			s.Of = slices.Clone(s.Of)
			p.Steps[i] = s
		case Link:
			s.Or = slices.Clone(s.Or)
			p.Steps[i] = s
		case Code:
			s.Or = slices.Clone(s.Or)
			p.Steps[i] = s
		case Documents:
			s.Kinds, s.Types = slices.Clone(s.Kinds), slices.Clone(s.Types)
			p.Steps[i] = s
		}
	}
	p.Limit.Name = gateName(p.Name)
	if p.Valid == 0 {
		p.Valid = defaultValid
	}
	if p.Grant == 0 {
		p.Grant = defaultGrant
	}
	if p.Repudiate == 0 {
		p.Repudiate = defaultRepudiate
	}
	return p
}

func gateName(plan string) string { return "recovery." + plan }

// hasty reports whether a plan that is valid begins credentials on the word of whoever knows the facts.
func (p *Plan) hasty(c *Config) bool {
	var v seen
	for i, s := range p.Steps {
		v.add(i, s, p, c)
	}
	return p.Begin && v.hasty()
}

// digest tells whether a run was begun under the plan as it is now. A run whose plan changed in the middle ends.
func (p *Plan) digest() ([]byte, error) {
	text, err := Plan{Steps: p.Steps, Outcome: p.Outcome, Begin: p.Begin}.MarshalJSON()
	h := sha256.Sum256(text)
	return h[:16], err
}

// rests is how long a run may rest at the most.
func (p *Plan) rests() (all time.Duration) {
	for _, s := range p.Steps {
		switch s := s.(type) {
		case Wait:
			all += s.For
		case ConfirmContact:
			all += s.Wait
		}
	}
	return all
}

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
// images is how many images are shown. Facts and the names of contacts get no credit; an operator is taken not to be deceived.
func (p Plan) GuessProbability(images int) (usual, corrected float64) {
	tries := float64(p.Limit.Ceiling)
	if tries == 0 {
		tries = lockout.MaxCeiling
	}
	known, possessed, weak := 1.0, 1.0, 1.0
	mayCorrect := civicpin.Channel("")
	for _, s := range p.Steps {
		switch s := s.(type) {
		case Image:
			known /= float64(max(1, images))
		case Questions:
			known *= math.Pow(questionChance, float64(s.Ask))
		case Factor:
			possessed, weak = possessed*factorChance, weak*factorChance
		case Operator:
			possessed, weak = 0, 0
		case ConfirmContact:
			if s.MayCorrect {
				mayCorrect = s.Channel
			}
		}
		if channels, _, _, n, ok := sent(s); ok {
			chance := 0.0 // a link cannot be guessed
			if n > 0 {
				chance = min(1, tries*math.Pow(2, -code.Unambiguous.Bits(n)))
			}
			possessed *= chance
			if !slices.Contains(channels, mayCorrect) {
				weak *= chance
			}
		}
	}
	known = min(1, tries*known)
	if mayCorrect == "" {
		return known * possessed, known * possessed
	}
	return known * possessed, known * weak
}

// validate checks a plan that has its defaults, against the configuration around it.
func (p *Plan) validate(c *Config) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", ErrPlan, p.Name, fmt.Sprintf(format, args...))
	}
	if !names.Valid(p.Name, 32) {
		return bad("Name is not 1 to 32 ASCII letters, digits and -_.")
	}
	if err := p.Limit.Validate(); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPlan, p.Name, err)
	}
	switch {
	case p.Outcome != ChooseSecret && p.Outcome != ReissueInParts && p.Outcome != Unlocked:
		return bad("Outcome is none of the constants")
	case p.Begin && p.Outcome != ChooseSecret:
		return bad("a plan that begins a credential ends in ChooseSecret")
	case p.Valid < minute || p.Valid > 7*day:
		return bad("Valid is not 1 minute to 7 days")
	case p.Grant < minute || p.Grant > day:
		return bad("Grant is not 1 minute to 24 hours")
	case p.Repudiate < day || p.Repudiate > 60*day:
		return bad("Repudiate is not 1 to 60 days")
	case len(p.Steps) == 0 || len(p.Steps) > maxSteps:
		return bad("not 1 to %d steps", maxSteps)
	}
	var soFar seen
	for i, s := range p.Steps {
		if problem := soFar.add(i, s, p, c); problem != "" {
			return bad("step %d, %T: %s", i+1, s, problem)
		}
	}
	switch {
	case soFar.possession == 0:
		return bad("knowing is not enough: a plan needs a link, a code, a factor or an operator")
	case !p.Begin && soFar.hasty():
		return bad("an address that the visitor gives cannot be the only proof: rest for a day or more (ConfirmContact.Wait), or ask an operator or for another proof")
	}
	if soFar.staff && !soFar.second && soFar.independent == 0 && p.Outcome == ChooseSecret && p.Exception == "" {
		return bad("one member of staff alone could begin, approve and choose: ask for a second one, or for a proof by the subject")
	}
	if usual, corrected := p.GuessProbability(min(len(c.Images), maxShown)); max(usual, corrected) > pin.Budget && p.Exception == "" {
		return bad("chance of guessing %.1e, %.1e with a contact corrected, is above %.0e and no Exception is named", usual, corrected, pin.Budget)
	}
	return nil
}
