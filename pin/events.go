package pin

import "github.com/civicpin/civicpin"

// The events of this package, listed in its documentation. Their Ref is the id of the issue where one is concerned.
const (
	eventIssued        civicpin.EventCode = "pin.issued"
	eventResent        civicpin.EventCode = "pin.resent"
	eventPartAccepted  civicpin.EventCode = "pin.part_accepted"
	eventPartDelivered civicpin.EventCode = "pin.part_delivered"
	eventPartFailed    civicpin.EventCode = "pin.part_failed"
	eventVerified      civicpin.EventCode = "pin.verified"
	eventRefused       civicpin.EventCode = "pin.refused" // the reasons are in the package comment
	eventExpired       civicpin.EventCode = "pin.expired" // the right secret, too late; Reason: issue, change or use
	eventExchanged     civicpin.EventCode = "pin.exchanged"
	eventChanged       civicpin.EventCode = "pin.changed"
	eventAttested      civicpin.EventCode = "pin.attested"
	eventRevoked       civicpin.EventCode = "pin.revoked"
	eventSuspended     civicpin.EventCode = "pin.suspended"
	eventResumed       civicpin.EventCode = "pin.resumed"
	eventImported      civicpin.EventCode = "pin.imported"
	eventLowered       civicpin.EventCode = "pin.lowered"
	eventGranted       civicpin.EventCode = "pin.granted"   // Reason: the plan and the run of the recovery
	eventRecovered     civicpin.EventCode = "pin.recovered" // a grant was used
)
