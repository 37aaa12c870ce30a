package pin

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/state"
)

const (
	eventIssued        civicpin.EventCode = "pin.issued"
	eventResent        civicpin.EventCode = "pin.resent"
	eventPartAccepted  civicpin.EventCode = "pin.part_accepted"
	eventPartDelivered civicpin.EventCode = "pin.part_delivered"
	eventPartFailed    civicpin.EventCode = "pin.part_failed"
	eventVerified      civicpin.EventCode = "pin.verified"
	eventRefused       civicpin.EventCode = "pin.refused"
	eventExpired       civicpin.EventCode = "pin.expired"
	eventExchanged     civicpin.EventCode = "pin.exchanged"
	eventChanged       civicpin.EventCode = "pin.changed"
	eventAttested      civicpin.EventCode = "pin.attested"
	eventRevoked       civicpin.EventCode = "pin.revoked"
	eventSessionsEnded civicpin.EventCode = "pin.sessions_ended"
	eventSuspended     civicpin.EventCode = "pin.suspended"
	eventResumed       civicpin.EventCode = "pin.resumed"
	eventImported      civicpin.EventCode = "pin.imported"
	eventLowered       civicpin.EventCode = "pin.lowered"
	eventGranted       civicpin.EventCode = "pin.granted"
	eventAside         civicpin.EventCode = "pin.issued_aside"
	eventNothing       civicpin.EventCode = "pin.nothing_issued"
	eventCodePrinted   civicpin.EventCode = "pin.request_code"
	eventGrantRefused  civicpin.EventCode = "pin.grant_refused"
	eventRecovered     civicpin.EventCode = "pin.recovered"
	eventRepudiated    civicpin.EventCode = "pin.repudiated"
)

// The reasons of eventNothing.
const (
	refusedReason = "refused"
	nothingToSend = "nothing to send, or sent just now"
)

// Events returns the events that this package records, as a new slice. Ref is the id of the issue. Package lockout records the
// locks, and package outbox the messages.
func Events() []civicpin.EventInfo {
	callers := []string{"the caller's reason"}
	return []civicpin.EventInfo{
		{Code: eventIssued, Meaning: "A secret was issued, and its parts are to be sent."},
		{Code: eventResent, Meaning: "A part is to be sent again."},
		{Code: eventPartAccepted, Meaning: "The provider took a part over."},
		{Code: eventPartDelivered, Meaning: "A part arrived.", Reasons: []string{reportedReason}},
		{
			Code: eventPartFailed, Meaning: "A part cannot be delivered.",
			Reasons: []string{"the notifier's error, without the secret", reportedReason},
		},
		{Code: eventVerified, Meaning: "The secret was right.", Reasons: []string{againReason}},
		{
			Code: eventRefused, Meaning: "A secret was not accepted.",
			Reasons: []string{
				"wrong", "unknown", "vacant", "revoked", "suspended", "unreadable", "unused", "locked", "busy", "not checked",
			},
		},
		{Code: eventExpired, Meaning: "The secret was right, but too old.", Reasons: []string{
			string(state.SinceIssue), string(state.SinceChange), string(state.SinceUse),
		}},
		{Code: eventExchanged, Meaning: "The subject exchanged a provisional secret for one of their own."},
		{Code: eventChanged, Meaning: "The subject changed the secret."},
		{Code: eventAttested, Meaning: "Evidence of the subject's identity was recorded.", Reasons: []string{"the method of proof"}},
		{Code: eventRevoked, Meaning: "The credential was revoked.", Reasons: callers},
		{Code: eventSessionsEnded, Meaning: "All sessions of the subject were ended."},
		{Code: eventSuspended, Meaning: "The credential was suspended.", Reasons: callers},
		{Code: eventResumed, Meaning: "A suspension ended.", Reasons: callers},
		{Code: eventImported, Meaning: "A hash of another system was taken over.", Reasons: []string{"the algorithm and its costs"}},
		{Code: eventLowered, Meaning: "The level of assurance counts as lower for a time.", Reasons: callers},
		{Code: eventGranted, Meaning: "A completed recovery gave a grant.", Reasons: []string{"the plan and the run"}},
		{Code: eventAside, Meaning: "A visitor asked for a secret in a subject's name, and gets parts that open nothing."},
		{
			Code: eventNothing, Meaning: "A request for a secret, or for a part once more, came to nothing.",
			Reasons: []string{refusedReason, nothingToSend},
		},
		{Code: eventCodePrinted, Meaning: "An operator printed a code for a request on line."},
		{Code: eventGrantRefused, Meaning: "A grant was not good: made up, too old, used, or ended by another act."},
		{Code: eventRecovered, Meaning: "A grant was used: a secret was chosen or issued anew."},
		{
			Code: eventRepudiated, Meaning: "A recovery was repudiated: its secret or grant ended, or the credential was suspended.",
			Reasons: []string{"a fixed text"},
		},
	}
}
