package plan

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
)

const (
	minute = time.Minute
	day    = 24 * time.Hour

	defaultValid     = time.Hour
	defaultGrant     = 15 * minute
	defaultRepudiate = 7 * day

	mostRest = 30 * day
)

// LeastRest is the shortest rest that a plan may have: a weekend and a day, in which the subject has to read the notice, and to
// reach staff.
const LeastRest = 72 * time.Hour

// WithDefaults returns a copy with its zero fields filled in. The copy shares nothing with the plan that a later write to
// either would change.
func (p Plan) WithDefaults() Plan {
	p.Steps = slices.Clone(p.Steps)
	p.OwnChannels, p.Exceptions = slices.Clone(p.OwnChannels), slices.Clone(p.Exceptions)
	for i, s := range p.Steps {
		p.Steps[i] = cloned(s)
	}
	if p.Valid == 0 {
		p.Valid = defaultValid
	}
	if p.Grant == 0 {
		p.Grant = defaultGrant
	}
	p.Keeps = max(p.Keeps, civicpin.Low)
	if p.Repudiate == 0 {
		p.Repudiate = defaultRepudiate
	}
	return p
}

// cloned returns a copy of a step with lists of its own.
func cloned(s Step) Step {
	switch s := s.(type) {
	case Facts:
		return slices.Clone(s)
	case Contacts:
		s.Of = slices.Clone(s.Of)
		return s
	case Link:
		s.Or = slices.Clone(s.Or)
		return s
	case Code:
		s.Or = slices.Clone(s.Or)
		return s
	case Documents:
		s.Kinds, s.Types = slices.Clone(s.Kinds), slices.Clone(s.Types)
		return s
	}
	return s
}
