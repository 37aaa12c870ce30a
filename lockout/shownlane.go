package lockout

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/store"
)

// reserves is how many lanes Policy.Reserve makes.
const reserves = 2

// shownLanes are the lanes of callers who have shown something, which stand in one record with the known devices. There is one
// for each kind of proof, and none for each device: a thief of the secret could have new devices remembered, and each would
// bring new guesses.
type shownLanes struct {
	Device state `json:"device,omitzero"`
	Login  state `json:"login,omitzero"`
}

// of returns the lane of a kind of proof, nil if that has none.
func (l *shownLanes) of(kind shown.Kind) *state {
	switch kind {
	case shown.Device:
		return &l.Device
	case shown.Login:
		return &l.Login
	}
	return nil
}

// each applies an act to all lanes.
func (l *shownLanes) each(act func(*state)) {
	act(&l.Device)
	act(&l.Login)
}

// empty reports whether forgetting the lanes would change nothing.
func (l *shownLanes) empty() bool { return l.Device.empty() && l.Login.empty() }

// A shownLane is the lane of callers who have shown one kind of proof. Its guesses are stored, and told, as those of a known
// device are.
type shownLane struct {
	deviceLane
	proof shown.Kind
}

// find returns the state of the lane, which is in any record.
func (l *shownLane) find(d *devices, _ time.Time) *state { return d.Shown.of(l.proof) }

// laneOfShown returns the lane of what a target's source shows, nil if it shows nothing that has one. It asks no store, and
// opens nothing before it has found the value to be genuine, the subject's, and fresh.
func (g *Gate) laneOfShown(target Target) *lane[devices] {
	if target.Lane != "" || g.policy.Reserve == 0 || target.Source.Shown.IsZero() {
		return nil
	}
	proof := shown.Open(g.vault, target.Subject, target.Source.Shown).Kind
	if new(shownLanes).of(proof) == nil {
		return nil
	}
	return &lane[devices]{
		vault: g.vault, policy: g.policy.shownLane(), kind: g.devices, key: store.Key{Subject: target.Subject},
		place: &shownLane{deviceLane{gate: g, target: target}, proof},
		event: civicpin.Event{Subject: target.Subject, Source: target.Source, Reason: proof.String()},
	}
}

// besideLocked is a guess in the open lane by a caller whose own lane is locked.
type besideLocked struct {
	guess
	own  *lane[devices]
	lock *LockedError
}

// settle also gives the caller the own lane back if the guess was right: it ends the row of failures there, too. If the store
// fails, the lane stays locked until the next right guess.
func (t *besideLocked) settle(ctx context.Context, o outcome) error {
	err := t.guess.settle(ctx, o)
	if err != nil || o != succeeded {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	_, _ = t.own.kind.Update(ctx, t.own.key, func(e *store.Entry[devices]) error {
		now := t.own.vault.Now()
		s := t.own.place.find(&e.Value, now)
		lock := s.refusal(now)
		// Not if an operator locked, or another lock was set since.
		if e.Value.Closed || lock == nil || lock.Disabled != t.lock.Disabled || !lock.Until.Equal(t.lock.Until) {
			return store.ErrSkip
		}
		s.clear()
		e.ExpiresAt = e.Value.keepUntil(now)
		return nil
	})
	return nil
}
