package recovery

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
)

// seen is what a plan's earlier steps amount to.
type seen struct {
	guesses, possession int
	facts               bool
	// corrects says that a contact may be corrected, on channel; otherProof counts the proofs that do not rest on it.
	corrects   bool
	channel    civicpin.Channel
	confirmed  bool
	rest       time.Duration
	otherProof int
	// independent counts the proofs that no member of staff can make up; staff says that one approves, second that another
	// one has to confirm.
	independent   int
	staff, second bool
	last          Step
}

// hasty reports whether an address that the visitor gives can be the only proof, at once.
func (v *seen) hasty() bool { return v.corrects && v.otherProof == 0 && v.rest < day }

// add checks a step after those before it, and returns what is wrong with it, "" if nothing is.
func (v *seen) add(i int, s Step, p *Plan, c *Config) string {
	defer func() { v.last = s }()
	if guessed(s) {
		v.guesses++
	}
	if channels, valid, link, n, ok := sent(s); ok {
		v.possession++
		if !v.corrects || !slices.Contains(channels, v.channel) {
			v.otherProof++
			v.independent++
		}
		return checkSent(channels, valid, link, n)
	}
	switch s := s.(type) {
	case Captcha:
		if i > 0 {
			return "comes first"
		}
	case Facts:
		if c.Register == nil {
			return "needs Config.Register"
		}
		if v.facts || len(s) == 0 || len(s) > 8 || slices.Contains(s, "") {
			return "not 1 to 8 names, or a second such step"
		}
		v.facts = true
	case Image:
		if len(c.Images) < 2 {
			return "needs Config.Images"
		}
	case Questions:
		if s.Ask < 1 || s.Ask > 4 || s.Ask > len(c.Questions) {
			return "Ask is not 1 to 4 of Config.Questions"
		}
	case Contacts:
		if s.AtLeast < 1 || s.AtLeast > 4 {
			return "AtLeast is not 1 to 4"
		}
	case ConfirmContact:
		return v.confirm(s, p)
	case Factor:
		v.possession++
		v.otherProof++
		v.independent++
		if c.Factors[string(s)] == nil {
			return "not one of Config.Factors"
		}
	case Documents:
		return checkDocuments(s, c)
	case Operator:
		v.possession++
		v.otherProof++
		v.staff, v.second = true, v.second || s.Second
		if _, ok := c.Roles[s.Role]; !ok {
			return "Role is not one of Config.Roles"
		}
		if s.Questions < 0 || s.Questions > 4 || s.Questions > len(c.Questions) {
			return "Questions is not 0 to 4 of Config.Questions"
		}
	case Wait:
		if v.guesses+v.possession == 0 {
			return "comes after a guess or a proof, or strangers could have people told" // rule 7
		}
		if s.For < time.Hour || s.For > 30*day {
			return "For is not 1 hour to 30 days"
		}
	case Terms:
		if v.possession == 0 {
			return "comes after a proof: before it, somebody else may have begun"
		}
		if s.Version == "" || len(s.Version) > 64 {
			return "Version is not 1 to 64 bytes"
		}
	case Enrol:
		if v.possession == 0 {
			return "comes after a proof, or whoever knows the facts could choose answers for the citizen who then uses the link"
		}
		if !s.Image && s.Questions == 0 || s.Questions < 0 || s.Questions > 8 || s.Questions > len(c.Questions) ||
			s.Image && len(c.Images) < 2 {
			return "asks for nothing, or for more than Config.Questions or Config.Images have"
		}
	default:
		return "not a step of this package"
	}
	return ""
}

func (v *seen) confirm(s ConfirmContact, p *Plan) string {
	switch {
	case v.confirmed:
		return "comes once"
	case s.Channel == "" || s.Channel.Printed():
		return "needs a channel that is not printed"
	case s.MayCorrect && v.guesses+v.possession == 0:
		return "MayCorrect comes after a guess or a proof"
	case s.Wait != 0 && (!s.MayCorrect || s.Wait < day || s.Wait > 30*day):
		return "Wait needs MayCorrect, and is 1 to 30 days"
	case s.MayCorrect && p.Outcome == Unlocked:
		return "an unlock corrects no contact"
	}
	v.confirmed, v.corrects, v.channel, v.rest = true, s.MayCorrect, s.Channel, s.Wait
	v.otherProof = v.possession // what was proved before rests on the contacts as they were
	return ""
}

func checkSent(channels []civicpin.Channel, valid time.Duration, link bool, n int) string {
	most := 10 * minute
	mail := true
	for _, ch := range channels {
		switch {
		case ch == "" || ch.Printed():
			return "needs a channel that is not printed"
		case ch.Phone() && link:
			return "no message to a telephone has a link"
		case ch.Phone() || ch == civicpin.Push:
			mail = false
		}
	}
	if mail {
		most = day
	}
	if valid < minute || valid > most {
		return fmt.Sprintf("Valid is not 1 minute to %v", most)
	}
	if n != 0 && (n < 6 || n > 12) {
		return "the code is not of 6 to 12 characters"
	}
	return ""
}

func checkDocuments(s Documents, c *Config) string {
	switch {
	case c.Documents == nil:
		return "needs Config.Documents"
	case len(s.Kinds) == 0 || len(s.Kinds) > 8 || slices.Contains(s.Kinds, ""):
		return "Kinds are not 1 to 8 names"
	case len(s.Types) == 0 || slices.Contains(s.Types, ""):
		return "lists no Types"
	case s.MaxBytes < 1:
		return "MaxBytes is below 1"
	}
	return ""
}
