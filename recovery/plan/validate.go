package plan

import (
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/lockout"
)

// ErrInvalid matches every error about an invalid plan, and every error about an invalid configuration of package recovery.
var ErrInvalid = errors.New("recovery: invalid plan")

const maxSteps = 16

// Facilities is what the configuration around a plan offers to its steps. Package recovery makes it of its Config.
type Facilities struct {
	// Register reports whether there is a register that checks facts, and Documents whether there is a store for uploads.
	Register, Documents bool
	// Factors and Roles are the names that a [Factor] and an [Approval] may have.
	Factors, Roles []string
	// Images is how many images a visitor is shown, and Questions how many questions there are.
	Images, Questions int
	// Mail lists the channels of the caller's own that are mailboxes. Messages over other such channels are good for 10 minutes.
	Mail []civicpin.Channel
}

// Validate checks a plan that has its defaults, from [Plan.WithDefaults], against the configuration around it. An error matches
// [ErrInvalid] and says which step is wrong and why.
func (p Plan) Validate(around Facilities) error {
	if !names.Valid(p.Name, 32) {
		return p.invalid("Name %q is not 1 to 32 ASCII letters, digits and -_.", p.Name)
	}
	if err := p.Limit.Validate(); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, p.Name, err)
	}
	if err := p.validateFields(); err != nil {
		return err
	}
	all := progress{around: around, outcome: p.Outcome}
	for i, s := range p.Steps {
		problem := "not a step of this package"
		if closed(s) {
			problem = s.check(&all)
		}
		if problem != "" {
			return p.invalid("step %d, %T: %s", i+1, s, problem)
		}
		all.add(s)
	}
	return p.validateWhole(&all)
}

// validateFields checks what needs no look at single steps.
func (p Plan) validateFields() error {
	switch {
	case p.Outcome != ChooseSecret && p.Outcome != ReissueInParts && p.Outcome != Unlocked:
		return p.invalid("Outcome is none of the constants")
	case p.Creates && p.Outcome != ChooseSecret:
		return p.invalid("a plan that creates a credential ends in ChooseSecret")
	case p.Keeps > civicpin.High:
		return p.invalid("Keeps is not a level")
	case p.Valid < minute || p.Valid > 7*day:
		return p.invalid("Valid is not 1 minute to 7 days")
	case p.Grant < minute || p.Grant > day:
		return p.invalid("Grant is not 1 minute to 24 hours")
	case p.Repudiate < day || p.Repudiate > 60*day:
		return p.invalid("Repudiate is not 1 to 60 days")
	case len(p.Steps) == 0 || len(p.Steps) > maxSteps:
		return p.invalid("not 1 to %d steps", maxSteps)
	}
	return nil
}

// validateWhole checks what all steps together amount to.
func (p Plan) validateWhole(all *progress) error {
	switch {
	case all.possession == 0:
		return p.invalid("knowing is not enough: a plan needs a link, a code, a factor or an operator")
	case !p.Creates && all.hasty():
		return p.invalid("an address that the visitor gives cannot be the only proof: " +
			"rest for 72 hours or more (ConfirmContact.Wait), or ask an operator or for another proof")
	case p.Keeps == civicpin.High && !all.staff:
		return p.invalid("Keeps is high, which only an operator can give")
	case p.Certified && p.Exception == "":
		return p.invalid("e-mail and certified e-mail are one kind, and no Exception is named")
	case p.Exception != "":
		return nil
	case all.staffAlone() && p.Outcome == ChooseSecret:
		return p.invalid("one member of staff alone could start, approve and choose: " +
			"ask for a second one, or for a proof by the subject")
	}
	if usual, corrected := p.GuessProbability(all.around.Images); max(usual, corrected) > lockout.Budget {
		return p.invalid("chance of guessing %.1e, %.1e with a contact corrected, is above %.0e and no Exception is named",
			usual, corrected, lockout.Budget)
	}
	return nil
}

func (p Plan) invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalid, p.Name, fmt.Sprintf(format, args...))
}
