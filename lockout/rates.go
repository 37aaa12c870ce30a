package lockout

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin/internal/quota"
)

// A ratedGuess is a guess in a lane that all callers share, with what it took from the policy's rates, Source and Global.
type ratedGuess struct {
	guess
	gate   *Gate
	source *sourceClaim // nil if nothing was taken
	shard  quota.Charge // of the global rate
}

// takeOpen reserves a guess in the lane that all callers share. The rates come first: they are all that an attacker who guesses
// at many subjects meets. A guess at a locked subject stays taken from them. One that fails otherwise was not compared, and is
// given back: a page that is sent twice, and a store that is down, are no failures.
//
// Global refuses no visitor for good, or a botnet would shut the portal: it asks for a challenge.
func (g *Gate) takeOpen(ctx context.Context, target Target) (guess, error) {
	r := &ratedGuess{gate: g}
	var err error
	if g.global != nil {
		r.shard, err = g.global.CheckShard(ctx, g.hash(target), target.Source.Challenged)
		if full, ok := errors.AsType[*quota.FullError](err); ok {
			err = &LockedError{Scope: ScopeGlobal, Until: full.Until, Challenge: true}
		}
		if err != nil {
			return nil, err
		}
	}
	if r.source, err = g.takeSource(ctx, target); err != nil {
		return nil, err
	}
	r.guess, err = g.laneOf(target).take(ctx)
	if err != nil && !errors.Is(err, ErrLocked) && !errors.Is(err, ErrRefused) {
		r.refund(ctx)
	}
	return r, err
}

// settle also gives the guess back to the limits of its source if it did not fail, and counts it towards the global rate if it
// did.
func (r *ratedGuess) settle(ctx context.Context, o outcome) error {
	err := r.guess.settle(ctx, o)
	if o == succeeded && err == nil || o == refunded {
		r.refund(ctx)
	}
	if r.gate.global != nil && (o == counted || o == countedStranger) {
		r.gate.global.ChargeShard(ctx, r.shard)
	}
	return err
}

// refund gives back what was taken from the limits of the source.
func (r *ratedGuess) refund(ctx context.Context) {
	if r.source != nil {
		r.gate.refundSource(ctx, r.source)
	}
}
