package pin

import (
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/state"
)

// IssueOptions say how a credential is issued.
type IssueOptions struct {
	// Parts are the contacts to which the parts go, in order: as many as Policy.Parts, no channel twice, no address twice. At
	// most one is printed by the caller ([civicpin.Channel.Printed]), so that no member of staff holds two. By an operator they
	// are taken as theirs. From a visitor they are a claim: contact.Service.Proved and [Requests] say what it needs.
	Parts []civicpin.Contact
	// Level is the level of assurance that the credential will have. Low needs no evidence: it rests on who receives the
	// parts. Zero means Low.
	Level civicpin.Level
	// Evidence is what gives a higher level, by Policy.Levels. Optional for Low. The level of a credential that is replaced
	// does not carry over.
	Evidence civicpin.Evidence
	// By is the actor who asks for it; required.
	By civicpin.Actor
	// Register says that the part by [civicpin.Letter] goes to the address that the caller's own register has of the subject,
	// and not to one that the visitor typed: see [Requests].
	Register bool
	// RequestCode is the code of [Service.RequestCode], as the visitor typed it: see [Requests].
	RequestCode civicpin.Secret
	// Source is where the request comes from; the send limits by source apply if its Address is not empty.
	Source civicpin.Source
}

// seen reports whether staff answer for the request.
func (o *IssueOptions) seen() bool { return o.By.IsOperator() || o.Evidence.Method != "" }

// An Issue is what was issued.
type Issue struct {
	// ID names the issue in events.
	ID string
	// Parts is how far each part has come, in the order of IssueOptions.Parts.
	Parts []Part
	// Slip is the text of the part that the caller prints, if there is one. Print it and forget it.
	Slip civicpin.Secret
	// ExpiresAt is when the issued secret stops being good, if it is not exchanged before.
	ExpiresAt time.Time
}

// A Part is how far a part of an issued secret has come.
type Part struct {
	// Contact is where the part goes, and State how far it is.
	Contact civicpin.Contact
	State   state.Part
	// At is when it reached the state.
	At time.Time
	// Receipt is the provider's id of the message, if it gave one.
	Receipt string
}

// checkIssue checks all that can be checked without the store, and fills in the default level.
func (s *Service) checkIssue(subject civicpin.Subject, o *IssueOptions) error {
	if err := errors.Join(subject.Validate(), o.By.Validate(), o.Source.Validate()); err != nil {
		return err
	}
	if len(o.Parts) != s.policy.Parts {
		return fmt.Errorf("%w: %d contacts, and the policy has parts: %d", ErrWrongParts, len(o.Parts), s.policy.Parts)
	}
	printed := 0
	for i, c := range o.Parts {
		if err := c.Validate(); err != nil {
			return err
		}
		if s.policy.Valid[c.Channel] == 0 {
			return fmt.Errorf("%w: the policy does not list the channel %q", ErrWrongParts, c.Channel)
		}
		if c.Channel.Printed() {
			printed++
		}
		for _, other := range o.Parts[:i] {
			if c.Channel == other.Channel || c.SameAddress(other) {
				return fmt.Errorf("%w: two parts to one channel or address", ErrWrongParts)
			}
		}
	}
	if printed > 1 {
		return fmt.Errorf("%w: two printed parts", ErrWrongParts)
	}
	return s.checkLevel(o)
}

// checkLevel checks that the evidence gives the level, and fills in the default level.
func (s *Service) checkLevel(o *IssueOptions) error {
	if o.Level == civicpin.NoLevel {
		o.Level = civicpin.Low
	}
	if o.Evidence.Method == "" {
		if o.Level > civicpin.Low {
			return fmt.Errorf("%w: level %s needs some", ErrWeakEvidence, o.Level)
		}
		return nil
	}
	if err := o.Evidence.Validate(); err != nil {
		return err
	}
	if o.Level > s.policy.Levels[o.Evidence.Method] {
		return fmt.Errorf("%w: %s", ErrWeakEvidence, o.Evidence.Method)
	}
	return nil
}
