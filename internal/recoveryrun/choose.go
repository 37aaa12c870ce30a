package recoveryrun

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A Subject is what is known of a subject when a run begins.
type Subject struct {
	Mark      pin.Mark
	Contacts  *contact.Snapshot
	Knowledge *knowledge.Knowledge
	// Now is when the run begins, and Reach reports whether a notice over a channel lets its reader object.
	Now   time.Time
	Reach func(civicpin.Channel) bool
}

// Helped reports whether a plan can come to something for a subject. It looks at everything: the same work for strangers.
func (s *Subject) Helped(p *plan.Plan) bool {
	can := p.Creates && s.Mark.Free && !(p.Hasty() && s.Mark.Revoked) || !p.Creates && s.Mark.Held
	questions, image := p.Asks()
	can = len(s.Knowledge.Questions) >= questions && can
	can = (s.Knowledge.Image != "" || !image) && can
	for _, step := range p.Steps {
		if c, ok := step.(plan.Contacts); ok {
			can = len(s.Contacts.Established()) >= c.AtLeast && can
		}
	}
	proves, all := s.proves(p)
	can = all && can
	if p.Rests() > 0 {
		can = s.objector(proves) && can
	}
	return can
}

// proves returns the contacts to which a plan sends what proves its run, but for one that may be corrected, and whether each
// message has one.
func (s *Subject) proves(p *plan.Plan) (contacts []civicpin.Contact, all bool) {
	all = true
	corrects := civicpin.Channel("")
	for _, step := range p.Steps {
		if c, ok := step.(plan.ConfirmContact); ok && c.MayCorrect {
			corrects = c.Channel
		}
		if d, ok := plan.SentBy(step); ok && !slices.Contains(d.Channels, corrects) {
			to, there := s.Contacts.On(d.Channels...)
			contacts, all = append(contacts, to), there && all
		}
	}
	return contacts, all
}

// Destination returns where a message goes that may go over some channels, and whether it is sent: own is the subject's
// contact, if there is a usable one, and decoy stands in. A run that leads nowhere shows the contact that other runs show, and
// sends nothing: a decoy in its place would tell a visitor that the subject's secret is revoked or suspended.
func (r *Record) Destination(channels []civicpin.Channel, own civicpin.Contact, usable bool, decoy civicpin.Contact) (
	to civicpin.Contact, real bool,
) {
	for _, channel := range channels {
		if r.Correct != nil && r.Correct.Channel == channel {
			return letter.Contact(*r.Correct).Contact(), r.Leads()
		}
	}
	if r.Leads() {
		for _, channel := range channels {
			for _, c := range r.Named {
				if c.Channel == channel {
					return c.Contact(), true
				}
			}
		}
	}
	if usable {
		return own, r.Leads()
	}
	return decoy, false
}

// Has returns what the visitor has shown so far. A run that leads nowhere proves nothing.
func (r *Record) Has(p *plan.Plan) shown.Kind {
	has := shown.Nothing
	for _, step := range p.Steps[:r.Step] {
		if _, sent := plan.SentBy(step); sent {
			has = shown.Run
		} else if plan.Guessed(step) {
			has = max(has, shown.Facts)
		}
	}
	if !r.Leads() {
		return shown.Nothing
	}
	return has
}

// Candidates returns where the parts of a new secret may go, the preferred ones first: the contacts that were named, in the
// order of the plan's channels, and then the others.
func (r *Record) Candidates(p *plan.Plan, others []civicpin.Contact) []civicpin.Contact {
	var order []civicpin.Channel
	for _, step := range p.Steps {
		if c, ok := step.(plan.Contacts); ok {
			order = append(order, c.Of...)
		}
	}
	rank := func(c civicpin.Contact) int { // where its channel stands in the order, at the end if it does not
		if i := slices.Index(order, c.Channel); i >= 0 {
			return i
		}
		return len(order)
	}
	var from []civicpin.Contact
	for _, c := range r.Named {
		from = append(from, c.Contact())
	}
	slices.SortStableFunc(from, func(a, b civicpin.Contact) int { return rank(a) - rank(b) })
	return append(from, others...)
}

// Parts returns where the parts of a new secret go, if a plan ends in one: to contacts named, in the order of the plan's
// channels, then to others. It gives [contact.ErrUnsuitable] if there are too few.
func (r *Record) Parts(p *plan.Plan, contacts *contact.Snapshot, policy pin.Policy) ([]civicpin.Contact, error) {
	if p.Outcome != plan.ReissueInParts {
		return nil, nil
	}
	parts := policy.Assign(r.Candidates(p, contacts.Established()))
	if len(parts) < policy.Parts {
		return nil, fmt.Errorf("%w: %d of %d parts have a contact", contact.ErrUnsuitable, len(parts), policy.Parts)
	}
	return parts, nil
}
