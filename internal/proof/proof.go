// Package proof holds what package recovery hands to package pin when a plan was completed. Being internal, it can be
// made by this module only: nobody else can have a credential set without a completed plan.
package proof

import (
	"time"

	"github.com/civicpin/civicpin"
)

// A Mark is what a credential looked like when a recovery began. Every act that changes whose hands the secret is in, or
// gives a grant, changes it: so of several recoveries under way the first that completes ends all others.
type Mark struct {
	// Epoch counts those acts; 0 if there is no record.
	Epoch uint64
	// Held says that there is a credential that can be recovered: not revoked and not suspended. Vacant says that there is
	// none, so that one can be begun: never issued, or revoked.
	Held, Vacant bool
	// Revoked says that one that is vacant was somebody's, and ended: they were issued a secret, or had one of their own.
	Revoked bool
	// Level is the credential's.
	Level civicpin.Level
}

// Completed says that a plan was completed. The zero Completed is refused.
type Completed struct {
	Subject civicpin.Subject
	// Plan and Run name the plan and its run, for the log.
	Plan, Run string
	// Epoch is that of the Mark taken when the run began.
	Epoch uint64
	// Begin says that the plan begins a credential for somebody who has none; otherwise it recovers one.
	Begin bool
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
