// Package proof holds what package recovery hands to packages pin and contact when a plan was completed. The package is
// internal, so no other module can import it. That alone is not enough: a caller can have the compiler infer the type, and set
// its exported fields. So a proof is sealed by [New], and an unsealed one is refused.
package proof

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/waits"
)

// Completed says that a plan was completed. The zero Completed is refused; [New] makes one that is not.
type Completed struct {
	Subject civicpin.Subject
	// Plan and Run name the plan and its run, for the log.
	Plan, Run string
	// Epoch is that of the credential when the run began, and Thing what the run is among what waits.
	Epoch uint64
	Thing waits.Thing
	// Book is the epoch of the contacts that the run was proved by. The grant ends with it.
	Book *uint64
	// Since is the epoch of the contacts when the run was completed, before it brings a change of them.
	Since *uint64
	// Creates says that the plan creates a credential for a subject without one; otherwise it recovers one.
	Creates bool
	// Unlock says that the plan ends in an unlock, without a grant.
	Unlock bool
	// Parts are where the parts of a new secret go; empty if the subject chooses one.
	Parts []civicpin.Contact
	// Kept is what is left of the lost credential's level.
	Kept Kept
	// Valid is how long the grant may wait for its use.
	Valid time.Duration
	// Source is where the run's last step came from, and By is the actor who took it.
	Source civicpin.Source
	By     civicpin.Actor

	// Change names the change of contacts that the run brings, and Corrected is the address. It can be undone until Undo.
	// Repudiated says that the run, which was completed at Finished, was repudiated, and the change is to be undone. Seen says
	// that operators approved it.
	Change     string
	Corrected  civicpin.Contact
	Undo       time.Time
	Repudiated bool
	Seen       bool
	Finished   time.Time

	// sealed is unexported: neither reflection nor a decoder sets it, and no struct type of another package is assignable.
	// There is no method that sets it, since a caller could call a method on the zero value of an inferred type.
	sealed bool
}

// New returns the proof, sealed.
func New(c Completed) Completed {
	c.sealed = true
	return c
}

// Sealed reports whether the proof comes from [New].
func (c Completed) Sealed() bool { return c.sealed }

// Kept says what a recovery leaves of a lost credential's level of assurance. The zero Kept leaves [civicpin.Low].
type Kept struct {
	// Level is the highest level that is left, and Known is since when the possessions that were shown are the subject's: the
	// one of them that came first. It is zero if operators saw the subject, or the possessions.
	Level civicpin.Level
	Known time.Time
}

// Of returns what is left of a level that the credential has had since a time. A possession from before then may be a visitor's
// who had the lower level: nothing says that it is the subject's whose identity was proved.
func (k Kept) Of(lost civicpin.Level, since time.Time) civicpin.Level {
	if !k.Known.IsZero() && !k.Known.After(since) {
		return min(lost, civicpin.Low)
	}
	return min(lost, max(k.Level, civicpin.Low))
}
