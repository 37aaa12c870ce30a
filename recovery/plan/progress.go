package plan

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
)

// progress is what the steps so far of a plan amount to.
type progress struct {
	around  Facilities
	outcome Outcome // of the plan

	steps, guesses, possession int
	facts                      bool
	// confirmed reports whether a contact was shown, and corrects whether the visitor may have corrected it: the one on
	// channel, after which the recovery rests. otherProofs counts the proofs that do not rest on the corrected address.
	confirmed, corrects bool
	channel             civicpin.Channel
	rest                time.Duration
	otherProofs         int
	// enrols reports whether the visitor enrolled something.
	enrols bool
	// independent counts the proofs that no member of staff can make up; staff reports whether an operator approves, and second
	// whether another one has to confirm.
	independent   int
	staff, second bool
}

// add counts a step.
func (p *progress) add(s Step) {
	p.steps++
	if Guessed(s) {
		p.guesses++
	}
	if d, ok := SentBy(s); ok {
		p.possession++
		if !p.corrects || !slices.Contains(d.Channels, p.channel) {
			p.otherProofs++
			p.independent++
		}
	}
	switch s := s.(type) {
	case Facts:
		p.facts = true
	case ConfirmContact:
		p.confirmed, p.corrects, p.channel, p.rest = true, s.MayCorrect, s.Channel, s.Wait
	case Factor:
		p.possession++
		p.otherProofs++
		p.independent++
	case Approval:
		p.possession++
		p.otherProofs++
		p.staff, p.second = true, p.second || s.Second
	}
}

// hasty reports whether an address that the visitor gives can be the only proof, at once.
func (p *progress) hasty() bool { return p.corrects && p.otherProofs == 0 && p.rest < LeastRest }

// staffAlone reports whether one member of staff could complete the plan without the subject.
func (p *progress) staffAlone() bool { return p.staff && !p.second && p.independent == 0 }
