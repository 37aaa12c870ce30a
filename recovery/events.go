package recovery

import "github.com/civicpin/civicpin"

// The events of this package, listed in its documentation. The Ref of a run's is its plan and id.
const (
	eventStarted    civicpin.EventCode = "recovery.started"
	eventStep       civicpin.EventCode = "recovery.step"       // taken; Reason: which
	eventSent       civicpin.EventCode = "recovery.sent"       // a link or code; Reason: the channel, or "nobody"
	eventRefused    civicpin.EventCode = "recovery.refused"    // Reason: an attempt.Refusal
	eventDecided    civicpin.EventCode = "recovery.decided"    // by staff; Reason: approved, or why not
	eventFinished   civicpin.EventCode = "recovery.finished"   // Reason: the outcome
	eventCancelled  civicpin.EventCode = "recovery.cancelled"  // Reason: by whom
	eventRepudiated civicpin.EventCode = "recovery.repudiated" // "it was not me", after it was finished
	eventEnrolled   civicpin.EventCode = "recovery.enrolled"   // images and answers
)
