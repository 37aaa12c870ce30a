package password

import (
	"context"
	"crypto/rand"
)

// Decoys are hashes of nothing, one of each cost that stored hashes have, the current cost first. A secret is checked against
// all of them, with the stored hash in the place of the decoy of its cost. So the time of a check does not tell of which cost
// the stored hash is, or whether there is one.
type Decoys []Hash

// NewDecoys returns decoys of costs, the current one first. It panics as [New] does.
func NewDecoys(costs ...Params) (d Decoys) {
	for _, p := range costs {
		d = append(d, New(p, rand.Text()))
	}
	return d
}

// place returns which decoy a hash takes the place of. It is the first if the hash is of no cost in use, as an imported one.
func (d Decoys) place(h Hash) int {
	if own, ok := h.s.(*argon2Hash); ok && own.variant == argon2id {
		for i := range d {
			if p, ok := d[i].s.(*argon2Hash); ok && p.Params == own.Params {
				return i
			}
		}
	}
	return 0
}

// Verify reports whether a hash is the secret's, when the gate has a permit for it, and works off the other costs in their
// order. Without decoys it checks the hash alone. The caller has entered the gate. After an error nothing was checked.
func (d Decoys) Verify(ctx context.Context, g *Gate, h Hash, secret string) (right bool, err error) {
	at := d.place(h)
	for i := range max(len(d), 1) {
		each := h
		if i != at {
			each = d[i]
		}
		var same bool
		if err := g.run(ctx, each.String(), func() { same = each.Verify(secret) }); err != nil {
			return false, err
		}
		right = right || same && i == at
		// Once one was checked, a caller who hangs up stops nothing: or the length of the work would tell how far it came.
		ctx = context.WithoutCancel(ctx)
	}
	return right, nil
}
