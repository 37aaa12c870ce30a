package pin

import (
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/pin/state"
)

// A former secret was the subject's own.
type former struct {
	Hash string     `json:"hash"`
	Norm normaliser `json:"norm"`
}

// former returns the secrets that Policy.History keeps, once this credential's secret is gone.
func (c *credential) former(p *Policy) []former {
	return c.before(c.History, p.History)
}

// before returns the current secret, if there is one that the subject chose, before others; at most so many.
func (c *credential) before(others []former, most int) []former {
	if c.chosen() {
		others = append([]former{{c.Hash, c.Norm}}, others...)
	}
	return others[:min(len(others), most)]
}

// chosen reports whether the credential has a secret that the subject chose.
func (c *credential) chosen() bool { return c.State == state.Active && c.Hash != "" }

// maxLost bounds what is kept of lost secrets; each costs a hash when a secret is chosen.
const maxLost = 5

// lose takes the current secret away, because it was lost or revoked.
func (c *credential) lose() {
	if c.chosen() {
		c.Lost, c.Hash = c.before(c.Lost, maxLost), ""
	}
}

// inherit takes over what outlives the secret of the credential that was there before. acts are those upon it until now.
func (c *credential) inherit(old *credential, p *Policy, acts waits.Acts) {
	c.History, c.Lost, c.Owned, c.Fraud = old.former(p), old.Lost, old.owned(), old.Fraud
	c.Acts, c.Aside = acts, old.Aside
	// Also of what was revoked: a thief could revoke what a recovery set, and ask anew, to have it stand when that is repudiated.
	if len(c.Evidence) == 0 {
		c.Run = old.Run
	}
}

// owned reports whether a secret was chosen here, or revoked: then facts alone begin nothing here any more.
func (c *credential) owned() bool {
	return c.Owned || !c.Changed.IsZero() || c.State == state.Revoked && !c.Issued.IsZero()
}
