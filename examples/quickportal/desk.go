package main

import (
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// atDesk does what an operator may: issue an activation code, on a slip for the citizen who stands there, unlock, and revoke.
// The pass stands in for the login of staff. A real portal logs its staff in as the house does, and takes the name of the
// operator from there: an operator never types whose act it is.
func (p *portal) atDesk(_ http.ResponseWriter, r *http.Request) (next string, err error) {
	by, known := p.staff[r.PostFormValue("pass")]
	subject := p.attempt(r).Subject
	switch do := r.PostFormValue("do"); {
	case !known:
		err = recovery.ErrNotAllowed
	case do == "issue":
		var issue pin.Issue
		options := pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: by}
		if issue, err = p.pins.Issue(r.Context(), subject, options); err == nil {
			p.paper.Printf("\nSlip for %s: %s", subject, issue.Slip.Reveal())
		}
	case do == "unlock":
		err = p.pins.Unlock(r.Context(), subject, by)
	case do == "revoke":
		err = p.pins.Revoke(r.Context(), subject, state.Ended, r.PostFormValue("reason"), by)
	}
	return "/served", err
}
