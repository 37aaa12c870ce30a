package lockout

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/shown"
)

const (
	eventLocked           civicpin.EventCode = "lockout.locked"
	eventDisabled         civicpin.EventCode = "lockout.disabled"
	eventUnlocked         civicpin.EventCode = "lockout.unlocked"
	eventRebound          civicpin.EventCode = "lockout.rebound"
	eventDeviceRemembered civicpin.EventCode = "lockout.device_remembered"
	eventDevicesForgotten civicpin.EventCode = "lockout.devices_forgotten"
)

// Events returns the events that this package records, as a new slice. Ref is the id of a known device, whose value is in no
// event, and otherwise empty.
func Events() []civicpin.EventInfo {
	lane := []string{"the Lane of the Target", deviceReason, shown.Login.String()}
	return []civicpin.EventInfo{
		{Code: eventLocked, Meaning: "Wrong guesses reached the limit, or an operator locked.", Reasons: lane},
		{Code: eventDisabled, Meaning: "Wrong guesses reached the ceiling: only a rebind helps.", Reasons: lane},
		{Code: eventUnlocked, Meaning: "An operator, or the subject with proof, ended a lock.", Reasons: lane},
		{Code: eventRebound, Meaning: "A new secret starts with clean counts.", Reasons: lane},
		{
			Code: quota.EventSlowed, Meaning: "A source, a subject, an operator, or all subjects together, exceed a rate.",
			Reasons: []string{"the name of the rate"},
		},
		{Code: eventDeviceRemembered, Meaning: "A device got a lane of its own.", Reasons: []string{deviceReason}},
		{Code: eventDevicesForgotten, Meaning: "All known devices of the subject were forgotten."},
	}
}
