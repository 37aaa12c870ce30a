package recovery

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

// way is a plan with what it needs at work.
type way struct {
	plan.Plan
	gate    *lockout.Gate
	typed   *lockout.Gate  // counts typed codes apart: with the right answers an attacker could start their count again
	answers *attempt.Guard // before gate, and before the hashing
	codes   *attempt.Guard // before typed
	digest  []byte
}

// message is the kind of a plan's message with a token or code.
func (w *way) message(isLink bool) civicpin.MessageKind {
	switch {
	case !isLink:
		return CodeMessage
	case w.Creates:
		return ActivateMessage
	case w.Outcome == plan.Unlocked:
		return UnlockMessage
	}
	return LinkMessage
}

// end is the kind of the notice that a run of the plan was completed.
func (w *way) end() civicpin.MessageKind {
	if w.Outcome == plan.Unlocked {
		return NoticeUnlocked
	}
	return NoticeDone
}

// addPlan checks a plan and makes what it needs at work.
func (s *Service) addPlan(p plan.Plan) error {
	p = p.WithDefaults()
	if err := p.Validate(s.config.facilities()); err != nil {
		return err
	}
	if s.plans[p.Name] != nil {
		return fmt.Errorf("%w: two plans called %s", ErrInvalidPlan, p.Name)
	}
	gate, err1 := lockout.New(s.vault, "recovery."+p.Name, p.Limit)
	// No plan's name makes this the name of another plan's gate.
	typed, err2 := lockout.New(s.vault, "recovery-code."+p.Name, recoveryrun.Typed(p.Limit))
	digest, err3 := p.Digest()
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPlan, err)
	}
	w := &way{Plan: p, gate: gate, typed: typed, digest: digest}
	w.answers = attempt.New(s.vault, gate, s.hashing, recoveryrun.EventRefused)
	w.codes = attempt.New(s.vault, typed, nil, recoveryrun.EventRefused)
	s.plans[p.Name] = w
	return s.sendable(w)
}

// facilities returns what the configuration offers to the steps of plans.
func (c *Config) facilities() plan.Facilities {
	around := plan.Facilities{
		Register: c.Register != nil, Documents: c.Documents != nil, Roles: slices.Collect(maps.Keys(c.Roles)),
		Images: min(len(c.Images), knowledge.MaxShown), Questions: len(c.Questions),
		Mail: c.Mail,
	}
	for name, check := range c.Factors {
		if check != nil {
			around.Factors = append(around.Factors, name)
		}
	}
	return around
}
