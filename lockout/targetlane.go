package lockout

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A targetLane is the lane of a target, which has a record of its own. Where the subject is not known to exist, the record is
// forgotten after some time.
type targetLane struct{ policy Policy }

// laneOf returns the lane of a target: the open one, or the one that the target names.
func (g *Gate) laneOf(target Target) *lane[state] {
	policy := g.policy
	if target.Lane == "" {
		policy = policy.openLane()
	}
	return &lane[state]{
		vault: g.vault, policy: policy, kind: g.subjects, key: store.Key{Subject: target.Subject, ID: target.Lane},
		place: targetLane{policy},
		event: civicpin.Event{Subject: target.Subject, Source: target.Source, Reason: target.Lane},
	}
}

// find returns the record itself.
func (targetLane) find(s *state, _ time.Time) *state { return s }

// keepTaken keeps a record for as long as forgetAt says until an outcome says that the subject exists.
func (k targetLane) keepTaken(e *store.Entry[state], before state, swept bool, now time.Time) {
	switch {
	case !e.Found() || before.empty() || swept && !e.ExpiresAt.IsZero():
		e.ExpiresAt = k.forgetAt(&e.Value, now)
	case !e.ExpiresAt.IsZero():
		// The record must not end under the guess that it holds, or the guess would never be counted.
		e.ExpiresAt = later(e.ExpiresAt, now.Add(keepEmpty))
	}
}

// keepSettled keeps a record for good if a guess was at a subject that exists, and was compared. Later guesses that find no
// subject change nothing in that: what a subject's guesses count towards the ceiling is not to be forgotten by them.
func (k targetLane) keepSettled(e *store.Entry[state], before state, o outcome, now time.Time) {
	switch {
	case e.Value.empty():
		e.ExpiresAt = now.Add(keepEmpty)
	case o == countedStranger && !e.ExpiresAt.IsZero(), o == succeeded && e.Value.nothingKept():
		e.ExpiresAt = k.forgetAt(&e.Value, now)
	case o == refunded: // taught nothing about the subject
		if !e.ExpiresAt.IsZero() && e.Value.Total != before.Total {
			e.ExpiresAt = k.forgetAt(&e.Value, now)
		}
	default:
		e.ExpiresAt = time.Time{}
	}
}

// forgetAt is when the record of a subject may go that is not known to exist: when what it shows is forgotten, and not under a
// guess in flight.
func (k targetLane) forgetAt(s *state, now time.Time) time.Time {
	return later(now.Add(k.policy.Forget), s.forgetAt(k.policy))
}

// gone is not called: a target has a lane in any record.
func (targetLane) gone(*state, *reservation[state], outcome, time.Time) error { return errNoLane }

// told returns err.
func (targetLane) told(_ context.Context, err error, _ outcome) error { return err }
