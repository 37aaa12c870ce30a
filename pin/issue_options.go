package pin

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/state"
)

// IssueOptions say how a credential is issued.
type IssueOptions struct {
	// Parts are the contacts to which the parts go, in order: as many as Policy.Parts, no channel twice, no address twice. At
	// most one is printed by the caller ([civicpin.Channel.Printed]), so that no member of staff holds two.
	Parts []civicpin.Contact
	// Level is the level of assurance that the credential will have. Low needs no evidence: it rests on who receives the
	// parts. Zero means Low.
	Level civicpin.Level
	// Evidence is what gives a higher level, by Policy.Levels. Optional for Low. The level of a credential that is replaced
	// does not carry over.
	Evidence civicpin.Evidence
	// By is the actor who asks for it; required.
	By civicpin.Actor
	// Source is where the request comes from; the send limits by source apply if its Address is not empty.
	Source civicpin.Source
}

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
