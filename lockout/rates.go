package lockout

import (
	"context"

	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/store"
)

// rateClaim is what a guess took from the policy's rates, Source and Global.
type rateClaim struct {
	gate   *Gate
	source *quota.Charge // nil if nothing was taken
	shard  store.Key     // of the global rate
}

// rate takes a guess from the rates. A guess that is then locked or busy stays taken.
func (g *Gate) rate(ctx context.Context, target Target) (*rateClaim, error) {
	r := &rateClaim{gate: g}
	var err error
	if g.global != nil {
		if r.shard, err = g.global.CheckShard(ctx); err != nil {
			return nil, full(ScopeGlobal, err)
		}
	}
	if g.source != nil && target.Source.Address != "" {
		t, err := g.source.Take(ctx, quota.SourceKey(target.Source.Address), 1)
		if err != nil {
			return nil, full(ScopeSource, err)
		}
		r.source = &t
	}
	return r, nil
}

// settle gives the guess back to the rate of its source if it did not fail, and counts it towards the global rate if it did.
// err is what settling it in its lane came to.
func (r *rateClaim) settle(ctx context.Context, o outcome, err error) {
	if r.source != nil && (o == succeeded && err == nil || o == refunded) {
		r.gate.source.Refund(ctx, *r.source)
	}
	if r.gate.global != nil && (o == counted || o == countedStranger) {
		r.gate.global.ChargeShard(ctx, r.shard)
	}
}
