package lockout

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// Unlock ends a soft lock or a delay of a target's lane, and lets devices become known again after an operator's lock. The
// number of failures in a row stays, so that unlocks buy no guesses beyond the ceiling. It returns nil if there was no lock.
// With the open lane, those of Policy.Reserve are unlocked. Lanes of known devices are not: an owner whose guess is right has a
// new one with [Gate.RememberDevice]. Errors:
//   - a *[LockedError]: the credential is disabled, which an unlock does not change.
//   - [civicpin.ErrInvalid]: the target or the actor is invalid.
//   - the store's: call it again.
func (g *Gate) Unlock(ctx context.Context, target Target, by civicpin.Actor) error {
	if err := errors.Join(target.validate(), by.Validate()); err != nil {
		return err
	}
	seen, err := g.getDevices(ctx, target)
	if err != nil {
		return err
	}
	policy := g.laneOf(target).policy
	err = g.change(ctx, target, by, eventUnlocked, func(s *state, _ time.Time) error {
		if s.Disabled || s.Kept >= policy.Ceiling {
			return &LockedError{Scope: ScopeSubject, Disabled: true}
		}
		s.unlock()
		return nil
	})
	if err != nil {
		return err
	}
	return g.reopen(ctx, seen, (*state).unlock)
}

// Lock locks a target's lane until it is unlocked. It is for an operator who suspects fraud. A guess in flight does not undo
// it. With the open lane, those of Policy.Reserve are locked, known devices are forgotten ([Gate.ForgetDevices]), and no device
// becomes known before [Gate.Unlock] or [Gate.Rebind]: a guess that was right before the lock opens no lane past it. Errors:
//   - [civicpin.ErrInvalid]: the target or the actor is invalid.
//   - the store's: call it again.
func (g *Gate) Lock(ctx context.Context, target Target, by civicpin.Actor) error {
	if _, err := g.forgetBeside(ctx, target, by, true); err != nil {
		return err
	}
	err := g.change(ctx, target, by, eventLocked, func(s *state, now time.Time) error {
		s.lock(time.Time{}, now)
		return nil
	})
	if err != nil {
		return err
	}
	// Before the lock, since one that fails half-way must leave no device in; after it, since an unlock at the same time may
	// have reopened what was closed for this one.
	_, err = g.forgetBeside(ctx, target, by, true)
	return err
}

// Rebind forgets all failures of a target's lane and lifts a disablement. Failures that have not locked still show to visitors,
// until time forgives them. Call it when a new credential was bound to the
// subject after the subject's identity was proved again (NIST SP 800-63B-4 3.2.2, 4.1), and at no other time: a code that is
// sent again, or issued anew on request, keeps the count of the code before. With the open lane, those of Policy.Reserve are
// rebound, and known devices are forgotten ([Gate.ForgetDevices]): they belong to the former binding. Errors:
//   - [civicpin.ErrInvalid]: the target or the actor is invalid.
//   - the store's: call it again.
func (g *Gate) Rebind(ctx context.Context, target Target, by civicpin.Actor) error {
	seen, err := g.forgetBeside(ctx, target, by, false)
	if err != nil {
		return err
	}
	err = g.change(ctx, target, by, eventRebound, func(s *state, now time.Time) error {
		s.rebind(now)
		return nil
	})
	if err != nil {
		return err
	}
	return g.reopen(ctx, seen, (*state).clear)
}

// forgetBeside forgets the devices of a subject whose open lane an operator acts on, and returns the record of the lanes
// beside it.
func (g *Gate) forgetBeside(ctx context.Context, target Target, by civicpin.Actor, closed bool) (store.Entry[devices], error) {
	if err := errors.Join(target.validate(), by.Validate()); err != nil || !g.hasBeside(target) {
		return store.Entry[devices]{}, err
	}
	return g.forget(ctx, target.Subject, time.Time{}, by, closed)
}

// change applies an act of by to the record and records the event.
func (g *Gate) change(ctx context.Context, target Target, by civicpin.Actor, code civicpin.EventCode,
	act func(*state, time.Time) error,
) error {
	l := g.laneOf(target)
	var event civicpin.EventCode
	_, err := l.kind.Update(ctx, l.key, func(e *store.Entry[state]) error {
		now := l.vault.Now()
		before := e.Value
		e.Value.sweep(l.policy, now)
		event = news(before, e.Value)
		if err := act(&e.Value, now); err != nil {
			return err
		}
		switch {
		case e.Value.empty() && !e.Found():
			return store.ErrSkip
		case e.Value.empty():
			e.ExpiresAt = now.Add(keepEmpty)
		case e.Value.nothingKept(), // what is left only shows
			!e.ExpiresAt.IsZero() && !e.Value.Locked && !e.Value.Disabled && !e.Value.Held: // it may be a stranger's
			e.ExpiresAt = targetLane{l.policy}.forgetAt(&e.Value, now)
		default:
			e.ExpiresAt = time.Time{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.record(ctx, event, "")
	l.record(ctx, code, by)
	return nil
}

// A Status is what an operator may be shown of a target's lane: of the lane that a guess from it would count in.
type Status struct {
	// Failures is the number of failures in a row since the last success, whatever came between.
	Failures int
	// Left is how many more failures lock.
	Left int
	// Locked is nil if visitors are not told of a lock. Its New is false.
	Locked *LockedError
	// Hidden says that every guess is refused as wrong, the right one, too: the ceiling was reached over months, or a lock that
	// does not end by time shows no longer. It must not be shown to visitors. No event of this package tells of it, since the
	// time that an event takes would; the services log such guesses as "locked". Rebinding ends it, and unlocking ends a lock.
	Hidden bool
	// Devices is how many known devices have lanes of their own; the fields above do not cover those. Zero if the target has a
	// lane.
	Devices int
}

// Status returns the state of a target's lane. It is for operators: an error of [Gate.Do] tells a visitor all that a visitor
// may know. If target.Source shows what opens a lane of Policy.Reserve, it is that lane's state, or, while that lane is locked,
// the open one's. Errors:
//   - [civicpin.ErrInvalid]: the target is invalid.
//   - the store's.
func (g *Gate) Status(ctx context.Context, target Target) (Status, error) {
	if err := target.validate(); err != nil {
		return Status{}, err
	}
	st, err := g.look(ctx, target)
	own := g.laneOfShown(target)
	if err != nil || own == nil && !g.hasDevices(target) {
		return st, err
	}
	e, err := g.getDevices(ctx, target)
	if err != nil {
		return Status{}, err
	}
	now := g.vault.Now()
	if own != nil {
		return own.place.find(&e.Value, now).status(own.policy, now).or(st), nil
	}
	e.Value.tidy(g.policy, now)
	st.Devices = len(e.Value.Known)
	return st, nil
}

// or returns the status of a lane, or that of the open lane while the one is locked: guesses go there then.
func (s Status) or(open Status) Status {
	switch {
	case s.Locked == nil:
		return s
	case open.Locked != nil:
		open.Locked = sooner(s.Locked, open.Locked)
	}
	return open
}

// look is the state of one lane that is not a device's.
func (g *Gate) look(ctx context.Context, target Target) (Status, error) {
	l := g.laneOf(target)
	e, err := l.kind.Get(ctx, l.key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Status{}, err
	}
	return e.Value.status(l.policy, l.vault.Now()), nil
}

// status sweeps a state and returns what operators see of it.
func (s *state) status(p Policy, now time.Time) Status {
	s.sweep(p, now)
	st := Status{Failures: s.Kept, Locked: s.refusal(now), Hidden: s.hidden(p, 0)}
	if st.Locked == nil && !st.Hidden {
		st.Left = min(s.left(p), p.Ceiling-s.Kept)
	}
	return st
}
