package recoveryrun

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/waits"
)

// Completed says that the run of an id was completed, for packages pin and contact. No other place makes such a proof.
func (r *Record) Completed(id string, by civicpin.Actor, source civicpin.Source) proof.Completed {
	return proof.New(proof.Completed{Subject: r.Subject, Plan: r.Plan, Run: id, By: by, Source: source})
}

// Denied says that the completed run of an id was repudiated, by a link that is dead once staff have dealt with it.
func (r *Record) Denied(id string, source civicpin.Source) proof.Completed {
	p := r.Completed(id, civicpin.Citizen, source)
	p.Thing, p.Epoch = waits.Denial, r.Epoch.Denial
	p.Repudiated, p.Change, p.Finished, p.Unlock, p.Seen = true, r.Change, r.Finished, r.Unlocked, r.Seen()
	return p
}
