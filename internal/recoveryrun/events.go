package recoveryrun

import "github.com/civicpin/civicpin"

// The codes of the events of package recovery.
const (
	EventStarted    civicpin.EventCode = "recovery.started"
	EventStep       civicpin.EventCode = "recovery.step"
	EventSent       civicpin.EventCode = "recovery.sent"
	EventRefused    civicpin.EventCode = "recovery.refused"
	EventDecided    civicpin.EventCode = "recovery.decided"
	EventShown      civicpin.EventCode = "recovery.shown"
	EventDenied     civicpin.EventCode = "recovery.denied"
	EventUnlocked   civicpin.EventCode = "recovery.unlocked"
	EventFinished   civicpin.EventCode = "recovery.finished"
	EventCancelled  civicpin.EventCode = "recovery.cancelled"
	EventRepudiated civicpin.EventCode = "recovery.repudiated"
	EventEnrolled   civicpin.EventCode = "recovery.enrolled"
)

// Events returns the events that package recovery records, as a new slice. Ref is the plan and the id of the run, if there
// is one.
func Events() []civicpin.EventInfo {
	return []civicpin.EventInfo{
		{Code: EventStarted, Meaning: "A run was started."},
		{Code: EventStep, Meaning: "A step was taken.", Reasons: []string{"the number and type of the step"}},
		{Code: EventSent, Meaning: "A link or code is to be sent.", Reasons: []string{"the channel", "decoy"}},
		{
			Code: EventRefused, Meaning: "An answer, a code or a factor was not accepted.",
			Reasons: []string{"wrong", "unknown", "expired", "factor", "unused", "locked", "busy", "not checked"},
		},
		{
			Code: EventDecided, Meaning: "An operator decided a case.",
			Reasons: []string{`a word, "approved", "turned down" or "went on", a colon and the operator's reason`},
		},
		{Code: EventShown, Meaning: "An operator looked at a case."},
		{
			Code: EventDenied, Meaning: "An operator was refused.",
			Reasons: []string{"role", "hours", "limit", "same person", "document"},
		},
		{
			Code: EventUnlocked, Meaning: "An operator lifted the lock of a plan.",
			Reasons: []string{"the evidence that the subject was seen: its method, its actor and the document"},
		},
		{Code: EventFinished, Meaning: "A run was completed.", Reasons: []string{"the outcome of the plan"}},
		{
			Code: EventCancelled, Meaning: "A run was ended.",
			Reasons: []string{"by its owner", "turned down", "repudiated", "wrong codes"},
		},
		{
			Code:    EventRepudiated,
			Meaning: "A completed run was repudiated: \"it was not me\". If the reason is \"staff\", operators have to look.",
			Reasons: []string{RemedySecret, RemedyStaff, RemedyDevices},
		},
		{
			Code: EventEnrolled, Meaning: "An image or answers were enrolled.",
			Reasons: []string{"a summary: whether there is an image, and the number of answers"},
		},
	}
}
