package recovery

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

// way is a plan with what it needs at work.
type way struct {
	plan.Plan
	gate   *lockout.Gate
	digest []byte
	hasty  bool // see [plan.Plan.Hasty]
}

// codeLane keeps the count of typed codes apart: who knows the answers must not be able to start it again with them.
const codeLane = "code"

// group returns the index behind the steps that are asked together with step i.
func (w *way) group(i int) int {
	end := i + 1
	if plan.Guessed(w.Steps[i]) {
		for end < len(w.Steps) && plan.Guessed(w.Steps[end]) {
			end++
		}
	}
	return end
}

// resting returns for how long the plan wants a run to rest that has come to step i, and the step behind that.
func (w *way) resting(i int) (rests time.Duration, behind int) {
	for i < len(w.Steps) {
		wait, ok := w.Steps[i].(plan.Wait)
		if !ok {
			break
		}
		rests += wait.For
		i++
	}
	return rests, i
}

// last reports whether the step is the plan's last one.
func (w *way) last(step int) bool {
	_, behind := w.resting(step + 1)
	return behind >= len(w.Steps) && behind == step+1
}

// links reports whether a step sends a link. At any other step a run has none outstanding.
func (w *way) links(step int) bool {
	if step >= len(w.Steps) {
		return false
	}
	_, ok := w.Steps[step].(plan.Link)
	return ok
}

// named says which step it is, for the log.
func (w *way) named(step int) string {
	if terms, ok := w.Steps[step].(plan.Terms); ok {
		return fmt.Sprintf("%d %T %s", step+1, terms, terms.Version)
	}
	return fmt.Sprintf("%d %T", step+1, w.Steps[step])
}

// message is the kind of a plan's message with a token or code.
func (w *way) message(isLink bool) civicpin.MessageKind {
	switch {
	case !isLink:
		return codeMail
	case w.Begin:
		return activateMail
	case w.Outcome == plan.Unlocked:
		return unlockMail
	}
	return linkMail
}

// asks returns how many of the enrolled questions a plan asks at once, at the most, and whether it asks for the image.
func (w *way) asks() (questions int, image bool) {
	for _, step := range w.Steps {
		switch step := step.(type) {
		case plan.Image:
			image = true
		case plan.Questions:
			questions = max(questions, step.Ask)
		case plan.Operator:
			questions = max(questions, step.Questions)
		}
	}
	return questions, image
}

// addPlan checks a plan and makes what it needs at work.
func (s *Service) addPlan(p plan.Plan) error {
	p = p.WithDefaults()
	if err := p.Validate(s.config.facilities()); err != nil {
		return err
	}
	if s.plans[p.Name] != nil {
		return fmt.Errorf("%w: two plans called %s", ErrPlan, p.Name)
	}
	gate, err := lockout.New(s.vault, p.Limit)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlan, err)
	}
	digest, err := p.Digest()
	if err != nil {
		return err
	}
	s.plans[p.Name] = &way{Plan: p, gate: gate, digest: digest, hasty: p.Hasty()}
	return nil
}

// facilities returns what the configuration offers to the steps of plans.
func (c *Config) facilities() plan.Facilities {
	around := plan.Facilities{
		Register: c.Register != nil, Documents: c.Documents != nil, Roles: slices.Collect(maps.Keys(c.Roles)),
		Images: min(len(c.Images), knowledge.MaxShown), Questions: len(c.Questions),
	}
	for name, check := range c.Factors {
		if check != nil {
			around.Factors = append(around.Factors, name)
		}
	}
	return around
}
