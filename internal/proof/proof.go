// Package proof holds what package recovery hands to packages pin and contact when a plan was completed. Being internal, it can be
// made by this module only: nobody else can have a credential set, or an address kept, without a completed plan.
package proof

import (
	"time"

	"github.com/civicpin/civicpin"
)

// Completed says that a plan was completed. The zero Completed is refused.
type Completed struct {
	Subject civicpin.Subject
	// Plan and Run name the plan and its run, for the log.
	Plan, Run string
	// Epoch is that of the credential when the run began.
	Epoch uint64
	// Begin says that the plan begins a credential for somebody who has none; otherwise it recovers one.
	Begin bool
	// Unlock says that the plan ends in an unlock, without a grant.
	Unlock bool
	// Parts are where the parts of a new secret go; empty if the citizen chooses one.
	Parts []civicpin.Contact
	// Valid is how long the grant may wait for its use.
	Valid time.Duration
	// Source is where the run's last step came from, and By is who took it.
	Source civicpin.Source
	By     civicpin.Actor

	// Change names the change of contacts that the run brings, and Corrected is the address. It can be undone until Undo.
	// Repudiated says that the run was repudiated, and the change is to be undone.
	Change     string
	Corrected  civicpin.Contact
	Undo       time.Time
	Repudiated bool
}
