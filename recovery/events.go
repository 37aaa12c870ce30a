package recovery

import "github.com/civicpin/civicpin"

const (
	eventStarted    civicpin.EventCode = "recovery.started"
	eventStep       civicpin.EventCode = "recovery.step"
	eventSent       civicpin.EventCode = "recovery.sent"
	eventRefused    civicpin.EventCode = "recovery.refused"
	eventDecided    civicpin.EventCode = "recovery.decided"
	eventFinished   civicpin.EventCode = "recovery.finished"
	eventCancelled  civicpin.EventCode = "recovery.cancelled"
	eventRepudiated civicpin.EventCode = "recovery.repudiated"
	eventEnrolled   civicpin.EventCode = "recovery.enrolled"
)

// Events returns the events that this package records, as a new slice. Ref is the plan and the id of the run, where there is
// one.
func Events() []civicpin.EventInfo {
	return []civicpin.EventInfo{
		{Code: eventStarted, Meaning: "A run was started."},
		{Code: eventStep, Meaning: "A step was taken.", Reasons: []string{"the number and type of the step"}},
		{Code: eventSent, Meaning: "A link or code is to be sent.", Reasons: []string{"the channel", "nobody"}},
		{
			Code: eventRefused, Meaning: "An answer, a code or a factor was not accepted.",
			Reasons: []string{"wrong", "unknown", "locked", "busy", "expired", "factor", "not checked"},
		},
		{
			Code: eventDecided, Meaning: "An operator decided a case.",
			Reasons: []string{`"approved: " or "turned down: ", and the operator's reason`},
		},
		{Code: eventFinished, Meaning: "A run was completed.", Reasons: []string{"the outcome of the plan"}},
		{Code: eventCancelled, Meaning: "A run was ended.", Reasons: []string{"by its owner", "turned down", "repudiated"}},
		{Code: eventRepudiated, Meaning: "A completed run was repudiated: \"it was not me\"."},
		{
			Code: eventEnrolled, Meaning: "An image or answers were enrolled.",
			Reasons: []string{"a summary: whether there is an image, and the number of answers"},
		},
	}
}
