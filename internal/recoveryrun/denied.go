package recoveryrun

import (
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/waits"
)

// Denied adds to the proof of a completed run that it was repudiated, by a link that is dead once staff have dealt with it.
func (r *Record) Denied(p proof.Completed) proof.Completed {
	p.Thing, p.Epoch = waits.Denial, r.Epoch.Denial
	p.Repudiated, p.Change, p.Finished, p.Unlock, p.Seen = true, r.Change, r.Finished, r.Unlocked, r.Seen()
	return p
}
