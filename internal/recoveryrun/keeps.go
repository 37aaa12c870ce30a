package recoveryrun

import (
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/possession"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/recovery/plan"
)

// Keeps returns what the run, whose steps are all done, leaves of the lost credential's level. It is the plan's where operators
// approved the run. Otherwise [civicpin.Substantial] takes two possessions of different kinds: contacts whose message was read
// in this run, contacts to which the parts of the new secret go, since its exchange shows them, and factors. What falls short
// leaves [civicpin.Low].
//
// contacts are the subject's now, and mail the mailboxes among the channels of the caller's own.
func (r *Record) Keeps(
	p *plan.Plan, contacts []contact.Recipient, parts []civicpin.Contact, mail []civicpin.Channel,
) proof.Kept {
	if r.Seen() {
		return proof.Kept{Level: p.Keeps}
	}
	known := make(map[possession.Kind]time.Time) // zero for what staff saw
	for _, c := range contacts {
		k, since := possession.Of(c.Channel, p.Certified, mail), c.ProvedAt
		if c.Seen {
			since = time.Time{}
		}
		if k == possession.None || !r.shows(&c, parts) {
			continue
		}
		if other, ok := known[k]; !ok || later(since, other) > 0 {
			known[k] = since
		}
	}
	if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { _, ok := s.(plan.Factor); return ok }) {
		known[possession.Authenticator] = time.Time{} // the check of the caller's vouches for it
	}
	if len(known) < 2 {
		return proof.Kept{Level: civicpin.Low}
	}
	times := slices.SortedFunc(maps.Values(known), later)
	return proof.Kept{Level: min(p.Keeps, civicpin.Substantial), Known: times[len(times)-2]}
}

// shows reports whether the run, or the exchange of the parts, shows that the visitor holds a contact which was established
// before the run began. An address that the visitor gave is not.
func (r *Record) shows(c *contact.Recipient, parts []civicpin.Contact) bool {
	return !c.Since.IsZero() && !c.Since.After(r.Started) && (slices.ContainsFunc(parts, c.SameAddress) ||
		slices.ContainsFunc(r.Read, func(to letter.Contact) bool { return c.SameAddress(to.Contact()) }))
}

// later orders times, and puts what has none last.
func later(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return -a.Compare(b) // the zero time is before all others
	}
	return a.Compare(b)
}
