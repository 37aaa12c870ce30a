package lockout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// deviceReason stands in the events of all devices' lanes.
const deviceReason = "device"

// A deviceLane is the lane of a known device, which stands in one record with those of the subject's other devices.
type deviceLane struct {
	gate   *Gate
	target Target
	id     deviceID
}

// laneOfDevice returns the lane of a target's device.
func (g *Gate) laneOfDevice(target Target, id deviceID) *lane[devices] {
	return &lane[devices]{
		vault: g.vault, policy: g.policy.deviceLane(), kind: g.devices, key: store.Key{Subject: target.Subject},
		place: &deviceLane{g, target, id},
		event: civicpin.Event{Subject: target.Subject, Source: target.Source, Ref: id.text(), Reason: deviceReason},
	}
}

// find returns the state of the device, nil if the device is not known any more.
func (l *deviceLane) find(d *devices, now time.Time) *state {
	d.tidy(l.gate.policy, now)
	if known := d.find(l.id); known != nil {
		return &known.Lane
	}
	return nil
}

func (*deviceLane) keepTaken(e *store.Entry[devices], _ state, _ bool, now time.Time) {
	e.ExpiresAt = e.Value.keepUntil(now)
}

func (*deviceLane) keepSettled(e *store.Entry[devices], _ state, _ outcome, now time.Time) {
	e.ExpiresAt = e.Value.keepUntil(now)
}

// gone settles a guess whose device is known no longer. A failure then counts nowhere: there was room for it in its lane's
// share of the ceiling, and no other lane has that share before the next right guess. A success stands if the device made way
// for another one, as when the owner logs in twice at once; not if all were forgotten.
func (*deviceLane) gone(d *devices, t *reservation[devices], o outcome, now time.Time) error {
	switch {
	case o == refunded:
		return nil
	case o != succeeded:
		return &RefusedError{Left: 1}
	case d.Forgotten != t.entry.Value.Forgotten || !now.Before(t.Deadline):
		return ErrTimeout
	}
	return nil
}

// told says what came of a failure that locked the lane. The next guess with this device goes to the open lane, so the lock is
// told only if that one is locked, too.
func (l *deviceLane) told(ctx context.Context, err error, o outcome) error {
	locked, ok := errors.AsType[*LockedError](err)
	if !ok || o == succeeded {
		return err
	}
	open, err := l.gate.look(ctx, l.target)
	switch {
	case err != nil:
		return fmt.Errorf("lockout: settle: %w", err)
	case open.Locked == nil:
		return &RefusedError{Left: max(1, open.Left)}
	}
	return sooner(locked, open.Locked)
}

// beside returns the lane beside the open one that a target shows a value for, nil if it shows none: that of a known device, or
// that of what the caller has shown. A policy has the one or the other.
func (g *Gate) beside(target Target) (l *lane[devices], device bool) {
	if id, ok := g.shown(target); ok {
		return g.laneOfDevice(target, id), true
	}
	return g.laneOfShown(target), false
}

// enter reserves a guess in the lane that a target shows a value for, or else in the target's own. A store error while that
// lane is read refuses the guess: the record is looked up only for a value that was made after a right guess. known reports
// whether the value is that of a known device, also if its lane is locked.
func (g *Gate) enter(ctx context.Context, target Target) (t guess, known bool, err error) {
	l, device := g.beside(target)
	if l == nil {
		t, err = g.takeOpen(ctx, target)
		return t, false, err
	}
	t, err = l.take(ctx)
	barred, isLocked := errors.AsType[*LockedError](err)
	if !isLocked && !errors.Is(err, errNoLane) {
		return t, device && err == nil, err // also ErrInFlight: parallel guesses with one value must not spread over two lanes
	}
	t, err = g.takeOpen(ctx, target)
	if open, ok := errors.AsType[*LockedError](err); ok && isLocked {
		err = sooner(barred, open)
	}
	if err == nil && isLocked && !device {
		t = &besideLocked{t, l, barred}
	}
	return t, device && isLocked, err
}

// deviceKey is the key of a context's value.
type deviceKey struct{}

// withDevice returns the context of a verify function.
func withDevice(ctx context.Context, known bool) context.Context {
	return context.WithValue(ctx, deviceKey{}, known)
}

// KnownDevice reports whether a guess comes from a known device of the subject: ctx is the context that [Gate.Do] gave to
// verify. Tell it only to a caller whose guess was right.
func KnownDevice(ctx context.Context) bool {
	known, _ := ctx.Value(deviceKey{}).(bool)
	return known
}

// sooner returns the lock that ends first: that is when the next guess is let in. It is new if one of the two is, since the
// caller had another lane until then. What a challenge ends, ends now.
func sooner(a, b *LockedError) *LockedError {
	first := a
	if b.Challenge || a.Disabled || a.Until.IsZero() || !b.Disabled && !b.Until.IsZero() && b.Until.Before(a.Until) {
		first = b
	}
	first.New = a.New || b.New
	return first
}
