package lockout

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// Unlock ends a soft lock or a delay of a subject's lane. The number of failures in a row stays, so that unlocking buys no
// guesses beyond the ceiling. It returns nil whether or not there was a lock, and a *[LockedError] if the credential is
// disabled, which an unlock does not change. Other errors are [civicpin.ErrInvalid] and the store's. Lanes of known devices
// are not unlocked: an owner who is let in has a new one with [Gate.RememberDevice].
func (g *Gate) Unlock(ctx context.Context, target Target, by civicpin.Actor) error {
	if err := errors.Join(target.validate(), by.Validate()); err != nil {
		return err
	}
	seen, err := g.getDevices(ctx, target)
	if err != nil {
		return err
	}
	err = g.change(ctx, target, by, EventUnlocked, func(s *state, now time.Time) error {
		if s.Disabled {
			return s.refusal(now)
		}
		s.unlock()
		return nil
	})
	if err != nil {
		return err
	}
	return g.reopen(ctx, seen)
}

// Lock locks a subject's lane until it is unlocked, as an operator does who suspects fraud. A guess that is being verified
// at that moment does not undo it. With the open lane, known devices are forgotten ([Gate.ForgetDevices]), and none becomes
// known before [Gate.Unlock] or [Gate.Rebind]: a guess that was right before the lock opens no lane past it.
func (g *Gate) Lock(ctx context.Context, target Target, by civicpin.Actor) error {
	if _, err := g.forgetBeside(ctx, target, by, true); err != nil {
		return err
	}
	err := g.change(ctx, target, by, EventLocked, func(s *state, _ time.Time) error {
		s.lock(time.Time{})
		return nil
	})
	if err != nil {
		return err
	}
	// Before the lock, since one that fails half-way must leave no device in; after it, since an unlock at the same time may have
	// reopened what was closed for this one.
	_, err = g.forgetBeside(ctx, target, by, true)
	return err
}

// Rebind forgets all failures of a subject's lane, and lifts a disablement. It is for the moment in which a new credential
// was bound to the subject after their identity was proved again (NIST SP 800-63B-4 3.2.2, 4.1), and for no other: a code
// that is merely sent again or issued anew on request keeps the count of the one before. With the open lane, devices that
// were known are forgotten ([Gate.ForgetDevices]): they belong to the binding before.
func (g *Gate) Rebind(ctx context.Context, target Target, by civicpin.Actor) error {
	seen, err := g.forgetBeside(ctx, target, by, false)
	if err != nil {
		return err
	}
	err = g.change(ctx, target, by, EventRebound, func(s *state, _ time.Time) error {
		*s = state{Epoch: s.Epoch, Tries: s.Tries}
		return nil
	})
	if err != nil {
		return err
	}
	return g.reopen(ctx, seen)
}

// forgetBeside forgets the devices of a subject whose open lane an operator acts on.
func (g *Gate) forgetBeside(ctx context.Context, target Target, by civicpin.Actor, closed bool) (store.Entry[devices], error) {
	if err := errors.Join(target.validate(), by.Validate()); err != nil || !g.hasDevices(target) {
		return store.Entry[devices]{}, err
	}
	return g.forget(ctx, target.Subject, by, closed)
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
		if e.Value.empty() {
			if !e.Found() {
				return store.ErrSkip
			}
			e.Expires = now.Add(keepEmpty)
		} else {
			e.Expires = time.Time{}
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

// A Status is what an operator may be shown of a subject's lane.
type Status struct {
	// Failures is the number of failures in a row since the last success, whatever came between.
	Failures int
	// Left is how many more failures lock.
	Left int
	// Locked is nil if a guess would be let in.
	Locked *LockedError
	// Devices is how many known devices have lanes of their own, which the above does not tell of. Of the open lane only.
	Devices int
}

// Status returns the state of a subject's lane. It is for operators: to a visitor, an error of [Gate.Do] tells all that may
// be told. One store call, two for the open lane of a policy with known devices.
func (g *Gate) Status(ctx context.Context, target Target) (Status, error) {
	if err := target.validate(); err != nil {
		return Status{}, err
	}
	st, err := g.look(ctx, target)
	if err != nil {
		return Status{}, err
	}
	e, err := g.getDevices(ctx, target)
	if err != nil {
		return Status{}, err
	}
	e.Value.tidy(g.policy, g.vault.Now())
	st.Devices = len(e.Value.Known)
	return st, nil
}

// look is the state of one lane that is not a device's.
func (g *Gate) look(ctx context.Context, target Target) (Status, error) {
	l := g.laneOf(target)
	e, err := l.kind.Get(ctx, l.key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Status{}, err
	}
	now := l.vault.Now()
	s := &e.Value
	s.sweep(l.policy, now)
	st := Status{Failures: s.Total, Locked: s.refusal(now)}
	if st.Locked == nil {
		if s.Locked {
			s.Round = 0
		}
		st.Left = s.left(l.policy)
	}
	return st, nil
}
