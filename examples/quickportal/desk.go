package main

import (
	"fmt"
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// atDesk does what an operator may: issue an activation code, on a slip for the citizen who stands there, unlock, and revoke. A
// real portal logs its staff in as the house does, each with an account of their own.
func (p *portal) atDesk(_ http.ResponseWriter, r *http.Request) (next string, err error) {
	by, subject := civicpin.Operator(r.PostFormValue("operator")), p.attempt(r).Subject
	if !p.desk.Equal(civicpin.NewSecret(r.PostFormValue("secret"))) {
		return "", recovery.ErrNotAllowed
	}
	switch r.PostFormValue("do") {
	case "issue":
		var issue pin.Issue
		options := pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: by}
		if issue, err = p.pins.Issue(r.Context(), subject, options); err == nil {
			_, err = fmt.Fprintf(p.paper, "\nSlip for %s: %s\n", subject, issue.Slip.Reveal())
		}
	case "unlock":
		err = p.pins.Unlock(r.Context(), subject, by)
	case "revoke":
		err = p.pins.Revoke(r.Context(), subject, state.Ended, r.PostFormValue("reason"), by)
	}
	return "/served", err
}
