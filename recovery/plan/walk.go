package plan

import (
	"fmt"
	"slices"
	"time"
)

// Group returns the index behind the steps that are asked together with step i.
func (p *Plan) Group(i int) int {
	guessed := Guessed(p.Steps[i])
	i++
	for _, s := range p.Steps[i:] {
		if !guessed || !Guessed(s) {
			break
		}
		i++
	}
	return i
}

// Resting returns for how long a run rests that has come to step i, and the step behind that.
func (p *Plan) Resting(i int) (rests time.Duration, behind int) {
	for _, s := range p.Steps[min(i, len(p.Steps)):] {
		wait, ok := s.(Wait)
		if !ok {
			break
		}
		rests += wait.For
		i++
	}
	return rests, i
}

// Last reports whether a step is the plan's last one.
func (p *Plan) Last(step int) bool {
	return step+1 >= len(p.Steps)
}

// Proves reports whether a step before step i proves anything about the visitor.
func (p *Plan) Proves(i int) bool {
	return slices.ContainsFunc(p.Steps[:min(i, len(p.Steps))], func(s Step) bool {
		_, sent := SentBy(s)
		_, asked := s.(Factor)
		_, seen := s.(Approval)
		return sent || asked || seen || Guessed(s)
	})
}

// Links reports whether a step sends a link.
func (p *Plan) Links(step int) bool {
	if step >= len(p.Steps) {
		return false
	}
	_, ok := p.Steps[step].(Link)
	return ok
}

// Asks returns how many of the enrolled questions the plan asks at once, at the most, and whether it asks for the image.
func (p *Plan) Asks() (questions int, image bool) {
	for _, step := range p.Steps {
		switch step := step.(type) {
		case Image:
			image = true
		case Questions:
			questions = max(questions, step.Ask)
		case Approval:
			questions = max(questions, step.Questions)
		}
	}
	return questions, image
}

// Describe names a step, for the log.
func (p *Plan) Describe(step int) string {
	if terms, ok := p.Steps[step].(Terms); ok {
		return fmt.Sprintf("%d %T %s", step+1, terms, terms.Version)
	}
	return fmt.Sprintf("%d %T", step+1, p.Steps[step])
}
