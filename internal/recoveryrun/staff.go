package recoveryrun

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
)

// Approve notes an operator's approval of the step at which the run is.
func (r *Record) Approve(by civicpin.Actor, now time.Time) {
	r.Approved = slices.Concat(r.Approved, []Approval{{By: by, At: now, Step: r.Step}})
}

// ApprovedBy reports whether an operator, however spelled, approved any step of the run. Two approvals are two persons, also
// where two steps name two roles: one operator may have both.
func (r *Record) ApprovedBy(by civicpin.Actor) bool {
	return slices.ContainsFunc(r.Approved, func(a Approval) bool { return a.By.Canonical() == by.Canonical() })
}

// ApprovalsOf returns how many approvals of a step there are.
func (r *Record) ApprovalsOf(step int) (n int) {
	for _, a := range r.Approved {
		if a.Step == step {
			n++
		}
	}
	return n
}

// Staffs reports whether the run is in the hands of staff: they began it, and no link has given it to the citizen.
func (r *Record) Staffs() bool { return r.By.IsOperator() && len(r.Ticket) == 0 }

// Seen returns what an event says of evidence; "" for the zero Evidence.
func Seen(e civicpin.Evidence) string {
	if e == (civicpin.Evidence{}) {
		return ""
	}
	return strings.TrimSuffix(fmt.Sprintf("%s by %s: %s", e.Method, e.By, e.Document), ": ")
}
