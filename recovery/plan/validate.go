package plan

import (
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/possession"
	"github.com/civicpin/civicpin/internal/standard"
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
	if err := p.Limit.ValidateWithoutDevices(); err != nil {
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
	if err := standard.CheckChannels("Steps", p.channels(), p.OwnChannels); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, p.Name, err)
	}
	return p.validateWhole(&all)
}

// proofs lists of each proof of a possession in a run of the plan the kinds that it may be of. mail are the mailboxes among the
// channels of the caller's own.
func (p Plan) proofs(mail []civicpin.Channel) (list [][]possession.Kind) {
	kinds := func(channels []civicpin.Channel) (of []possession.Kind) {
		for _, c := range channels {
			of = append(of, possession.Of(c, p.Certified, mail))
		}
		return of
	}
	parts := kinds([]civicpin.Channel{civicpin.SMS, civicpin.Email, civicpin.CertifiedEmail, civicpin.Letter})
	for _, s := range p.Steps {
		if d, ok := SentBy(s); ok {
			list = append(list, kinds(d.Channels))
		}
		switch s := s.(type) {
		case Contacts:
			parts = kinds(s.Of) // they go to contacts that the visitor named
		case Factor:
			list = append(list, []possession.Kind{possession.Authenticator})
		}
	}
	if p.Outcome == ReissueInParts { // its exchange shows where they went
		list = append(list, parts, parts)
	}
	return list
}

// channels lists the channels that the steps name.
func (p Plan) channels() (list []civicpin.Channel) {
	for _, s := range p.Steps {
		if d, ok := SentBy(s); ok {
			list = append(list, d.Channels...)
		}
		switch s := s.(type) {
		case Contacts:
			list = append(list, s.Of...)
		case ConfirmContact:
			list = append(list, s.Channel)
		}
	}
	return list
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
	case p.Keeps == civicpin.Substantial && p.Outcome != Unlocked && !all.staff && !possession.Differ(p.proofs(all.around.Mail)):
		return p.invalid("Keeps is substantial, and no run shows two possessions of different kinds, or asks an operator")
	}
	if err := standard.Check(p.Breaks(all.around), p.Exceptions); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, p.Name, err)
	}
	return nil
}

// Breaks lists the clauses that the plan breaks, with what breaks them, also those that Exceptions names. A valid plan keeps
// the times and lengths of NIST SP 800-63B-4 4.2.1.2 in any case; the clauses are the library's own:
//   - "guess budget": a [Plan.GuessProbability] is above [lockout.Budget].
//   - "two kinds": Certified counts e-mail and certified e-mail as two.
//   - "two operators": one operator alone could start, approve and choose a secret.
func (p Plan) Breaks(around Facilities) []civicpin.Breach {
	var list []civicpin.Breach
	usual, corrected := p.GuessProbability(around.Images)
	if max(usual, corrected) > lockout.Budget {
		list = append(list, civicpin.Breach{
			Clause: standard.GuessBudget, Field: "Steps",
			Value: fmt.Sprintf("a chance of %.1e to guess, %.1e with a contact corrected", usual, corrected),
			Set:   fmt.Sprintf("what leaves at most %.0e", lockout.Budget),
		})
	}
	if p.Certified {
		list = append(list, civicpin.Breach{Clause: standard.TwoKinds, Field: "Certified", Value: "true", Set: "false"})
	}
	var all progress
	for _, s := range p.Steps {
		all.add(s)
	}
	if all.staffAlone() && p.Outcome == ChooseSecret {
		list = append(list, civicpin.Breach{
			Clause: standard.TwoOperators, Field: "Steps", Value: "an Approval by one operator alone",
			Set: "Approval.Second, or a proof by the subject",
		})
	}
	return list
}

func (p Plan) invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalid, p.Name, fmt.Sprintf(format, args...))
}
