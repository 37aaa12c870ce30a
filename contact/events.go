package contact

import "github.com/civicpin/civicpin"

const (
	eventChanged civicpin.EventCode = "contact.changed"
	eventRefused civicpin.EventCode = "contact.refused"
)

// Events returns the events that this package records, as a new slice. Ref is the id of the change or the candidate.
func Events() []civicpin.EventInfo {
	return []civicpin.EventInfo{
		{
			Code: eventChanged, Meaning: "Contacts were changed, or an address was asked to prove itself.",
			Reasons: []string{`"asked", "added", "changed", "removed", "primary" or "adopted", and the channel`, "undone"},
		},
		{
			Code: eventRefused, Meaning: "A code was not accepted.",
			Reasons: []string{"wrong", "unknown", "expired", "locked", "busy", "not checked"},
		},
	}
}
