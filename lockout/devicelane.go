package lockout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// errUnknownDevice says that a device has no lane: it expired, was replaced or forgotten.
var errUnknownDevice = errors.New("lockout: device is not known any more")

// takenDevice is where a guess was taken in a device's lane.
type takenDevice struct {
	id        deviceID
	forgotten uint64
	deadline  time.Time
	entry     store.Entry[devices]
}

// enter reserves an attempt in the lane of the known device that a key shows, or else in the key's own. A store error while
// the devices are read refuses the guess: that record is one that only who was let in before is ever looked up in. known
// reports whether the device is a known one, also if its lane is locked.
func (g *Gate) enter(ctx context.Context, key Key) (t taken, known bool, err error) {
	id, ok := g.shown(key)
	if !ok {
		t, err = g.take(ctx, key)
		return t, false, err
	}
	t, err = g.takeDevice(ctx, key, id)
	barred, isLocked := errors.AsType[*LockedError](err)
	if !isLocked && !errors.Is(err, errUnknownDevice) {
		return t, err == nil, err // also ErrBusy: parallel guesses with one value must not spread over two lanes
	}
	t, err = g.take(ctx, key)
	if open, ok := errors.AsType[*LockedError](err); ok && isLocked {
		err = sooner(barred, open)
	}
	return t, isLocked, err
}

// deviceKey is the key of a context's value.
type deviceKey struct{}

// withDevice returns the context of a verify function.
func withDevice(ctx context.Context, known bool) context.Context {
	return context.WithValue(ctx, deviceKey{}, known)
}

// KnownDevice reports whether a guess comes from a known device of the subject: ctx is the context that [Gate.Do] gave to
// verify. It makes no store call. Tell it only to a caller whose guess was right.
func KnownDevice(ctx context.Context) bool {
	known, _ := ctx.Value(deviceKey{}).(bool)
	return known
}

// leave stores how an attempt ended where it was taken, and returns what Do returns.
func (g *Gate) leave(ctx context.Context, key Key, t taken, o outcome) error {
	if t.device != nil {
		return g.settleDevice(ctx, key, t, o)
	}
	return g.settle(ctx, key, t, o)
}

// takeDevice is take in a device's lane. A device that is not known, or whose lane is locked, costs one read and no write.
func (g *Gate) takeDevice(ctx context.Context, key Key, id deviceID) (taken, error) {
	p := g.policy.deviceLane()
	t := taken{id: rand.Text(), device: &takenDevice{id: id}}
	var refused error
	var event civicpin.EventCode
	e, err := g.devices.Update(ctx, store.Key{Subject: key.Subject}, func(e *store.Entry[devices]) error {
		now := g.vault.Now()
		refused, event = errUnknownDevice, ""
		e.Value.tidy(g.policy, now)
		known := e.Value.find(id)
		if known == nil {
			return store.ErrSkip
		}
		before := known.Lane
		swept := known.Lane.sweep(p, now)
		event = news(before, known.Lane)
		refused = known.Lane.take(p, now, t.id)
		if refused != nil && !swept {
			return store.ErrSkip
		}
		t.epoch, t.device.forgotten = known.Lane.Epoch, e.Value.Forgotten
		t.device.deadline = now.Add(p.Timeout + settleTime)
		e.Expires = e.Value.keepUntil(now)
		return nil
	})
	if err != nil {
		return taken{}, err
	}
	g.recordDevice(ctx, key, event, "", id)
	if refused != nil {
		return taken{}, refused
	}
	t.device.entry = e
	return t, nil
}

// settleDevice is settle in a device's lane.
func (g *Gate) settleDevice(ctx context.Context, key Key, t taken, o outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	var result error
	var event civicpin.EventCode
	_, err := g.devices.UpdateFrom(ctx, t.device.entry, func(e *store.Entry[devices]) error {
		now := g.vault.Now()
		e.Value.tidy(g.policy, now)
		known := e.Value.find(t.device.id)
		if known == nil {
			result, event = t.device.settleGone(&e.Value, now, o), ""
			if !e.Found() {
				return store.ErrSkip
			}
			e.Expires = e.Value.keepUntil(now)
			return nil // written, or what take read might be out of date: all may have been forgotten since
		}
		before := known.Lane
		result = known.Lane.settle(g.policy.deviceLane(), now, t, o)
		event = news(before, known.Lane)
		e.Expires = e.Value.keepUntil(now)
		return nil
	})
	if err != nil {
		return fmt.Errorf("lockout: settle: %w", err)
	}
	g.recordDevice(ctx, key, event, "", t.device.id)
	if locked, ok := errors.AsType[*LockedError](result); ok && o != succeeded {
		return g.afterLock(ctx, key, locked)
	}
	return result
}

// settleGone settles an attempt whose device is known no longer. A failure then counts nowhere: there was room for it in its
// lane's share of the ceiling, and no other lane has that share before somebody guessed right. A success stands if the device
// made way for another one, as when the owner logs in twice at once; not if all were forgotten.
func (t *takenDevice) settleGone(d *devices, now time.Time, o outcome) error {
	switch {
	case o == refunded:
		return nil
	case o != succeeded:
		return &RefusedError{Left: 1}
	case d.Forgotten != t.forgotten || !now.Before(t.deadline):
		return ErrTimeout
	}
	return nil
}

// afterLock says what came of a failure that locked a device's lane. The next guess with this device goes to the open lane, so
// the lock is told only if that one is locked, too.
func (g *Gate) afterLock(ctx context.Context, key Key, locked *LockedError) error {
	open, err := g.look(ctx, key)
	switch {
	case err != nil:
		return fmt.Errorf("lockout: settle: %w", err)
	case open.Locked == nil:
		return &RefusedError{Left: max(1, open.Left)}
	}
	return sooner(locked, open.Locked)
}

// sooner returns the lock that ends first: that is when the next guess is let in.
func sooner(a, b *LockedError) *LockedError {
	if a.Disabled || a.Until.IsZero() || !b.Disabled && !b.Until.IsZero() && b.Until.Before(a.Until) {
		return b
	}
	return a
}
