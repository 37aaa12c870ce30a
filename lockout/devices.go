package lockout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// devices is what a gate keeps of a subject's known devices: the devices and their lanes in one record, so that a guess is
// let in, and a device forgotten, by one conditional write. Lanes that are forgotten leave nothing behind.
type devices struct {
	Known []device `json:"known,omitempty"` // the one made last at the end
	// Forgotten counts how often all were: a guess that was in flight then must not get in.
	Forgotten uint64 `json:"forgotten,omitempty"`
	// Closed says that an operator has locked the open lane: until that ends, no device becomes known. It stands here, so that
	// the lock decides in the same write as the device.
	Closed bool `json:"closed,omitempty"`
	// Shown are the lanes of Policy.Reserve.
	Shown shownLanes `json:"shown,omitzero"`
}

type device struct {
	ID    string    `json:"id"`
	From  time.Time `json:"from,omitzero"` // when it became known; one that replaced another was known since that one was
	Until time.Time `json:"until"`
	Lane  state     `json:"lane,omitzero"`
}

// tidy drops the devices that are known no longer: those that expired, and the oldest beyond the policy's number, or what a
// policy with more devices left would add up with this one's lanes to more than the ceiling.
func (d *devices) tidy(p Policy, now time.Time) {
	latest := now.Add(p.DeviceValid)
	d.Known = slices.DeleteFunc(d.Known, func(k device) bool { return !now.Before(k.Until) })
	for i := range d.Known {
		if d.Known[i].Until.After(latest) { // from a clock that was ahead, or a policy that kept them longer
			d.Known[i].Until = latest
		}
	}
	d.Known = d.Known[max(0, len(d.Known)-p.Devices):]
}

// find returns a device, nil if it is not known.
func (d *devices) find(id deviceID) *device {
	if i := slices.IndexFunc(d.Known, func(k device) bool { return k.ID == id.text() }); i >= 0 {
		return &d.Known[i]
	}
	return nil
}

// keepUntil is when the record may go: when the last device expires, and not under a guess in flight; zero, for never, while an
// operator's lock closes it, or a lane of Policy.Reserve has failures.
func (d *devices) keepUntil(now time.Time) time.Time {
	if d.Closed || !d.Shown.empty() {
		return time.Time{}
	}
	until := now.Add(keepEmpty)
	for i := range d.Known {
		until = later(until, d.Known[i].Until)
	}
	return until
}

// RememberDevice makes a device known and returns its value, for a cookie as a rule. From then on the device shows the value as
// [civicpin.Source].Device, and its guesses at the subject count in a lane of its own: up to Policy.Limit before a lock, and a
// part of the ceiling in all, whatever strangers have done to the open lane (OWASP, "Slow down online guessing attacks with
// device cookies"). The value opens nothing else, and nothing for another subject or gate. While its lane is locked or
// disabled, its guesses go to the open lane.
//
// Call it once after each right guess, and at no other time: every new device brings new guesses. If what was guessed may
// change meanwhile, check after RememberDevice that it has not, and drop the value if it has. A device that target.Source shows
// is replaced, and its old value, which may have been copied, is forgotten. Beyond Policy.Devices, the oldest device is
// forgotten. Errors:
//   - a *[LockedError]: an operator has locked the subject since the guess. The device does not become known.
//   - [civicpin.ErrInvalid]: the target is invalid or has a lane, or Policy.Devices is zero.
//   - the store's.
func (g *Gate) RememberDevice(ctx context.Context, target Target) (civicpin.Secret, error) {
	if err := target.validate(); err != nil {
		return civicpin.Secret{}, err
	}
	if !g.hasDevices(target) {
		return civicpin.Secret{}, fmt.Errorf("%w: a target with a lane, or a policy without known devices", civicpin.ErrInvalid)
	}
	var id deviceID
	_, _ = rand.Read(id[:]) // never fails
	former, replaces := g.shown(target)
	_, err := g.devices.Update(ctx, store.Key{Subject: target.Subject}, func(e *store.Entry[devices]) error {
		now, d := g.vault.Now(), &e.Value
		if d.Closed {
			return &LockedError{Scope: ScopeSubject}
		}
		made := device{ID: id.text(), From: now, Until: now.Add(g.policy.DeviceValid)}
		if old := d.find(former); replaces && old != nil {
			made.From = old.From
			d.Known = slices.DeleteFunc(d.Known, func(k device) bool { return k.ID == former.text() })
		}
		d.Known = append(d.Known, made)
		d.tidy(g.policy, now)
		e.ExpiresAt = d.keepUntil(now)
		return nil
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	g.laneOfDevice(target, id).record(ctx, eventDeviceRemembered, civicpin.Citizen)
	return civicpin.NewSecret(encodeDevice(id, g.deviceMAC(target.Subject, id))), nil
}

// Device returns the id of the known device that target.Source shows, to be told from the subject's other devices, and "" if it
// shows none. Errors:
//   - [civicpin.ErrInvalid]: the target is invalid.
//   - the store's.
func (g *Gate) Device(ctx context.Context, target Target) (string, error) {
	if err := target.validate(); err != nil {
		return "", err
	}
	id, ok := g.shown(target)
	if !ok {
		return "", nil
	}
	e, err := g.getDevices(ctx, target)
	if err != nil {
		return "", err
	}
	e.Value.tidy(g.policy, g.vault.Now())
	if e.Value.find(id) == nil {
		return "", nil
	}
	return id.text(), nil
}

// ForgetDevices ends the lanes of all known devices of a subject: their guesses go to the open lane, and a guess in flight does
// not get in. Call it after the subject's secret was recovered or revoked. It returns nil if there were no devices. Errors:
//   - [civicpin.ErrInvalid]: the subject or the actor is invalid.
//   - the store's.
func (g *Gate) ForgetDevices(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return g.ForgetDevicesSince(ctx, subject, time.Time{}, by)
}

// ForgetDevicesSince is [Gate.ForgetDevices] for the devices that became known at a time or later: after an act that gave a
// stranger the chance to have one remembered. A device that replaced an older one counts from when that became known. Errors:
//   - [civicpin.ErrInvalid]: the subject or the actor is invalid.
//   - the store's.
func (g *Gate) ForgetDevicesSince(ctx context.Context, subject civicpin.Subject, since time.Time, by civicpin.Actor) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	_, err := g.forget(ctx, subject, since, by, false)
	return err
}

// forget ends the lanes that a subject's devices have since a time and returns the record as it is then. If that is to be
// closed, no device becomes known before reopen, and the lanes of Policy.Reserve are locked.
func (g *Gate) forget(ctx context.Context, subject civicpin.Subject, since time.Time, by civicpin.Actor, closed bool) (
	store.Entry[devices], error,
) {
	forgot := false
	e, err := g.devices.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[devices]) error {
		d := &e.Value
		rest := slices.DeleteFunc(slices.Clone(d.Known), func(k device) bool { return !k.From.Before(since) })
		forgot = len(rest) < len(d.Known)
		if !e.Found() && !closed {
			return store.ErrSkip
		}
		// Also if none is known any more: one that expired may have a guess in flight.
		*d = devices{Known: rest, Forgotten: d.Forgotten + 1, Closed: d.Closed || closed, Shown: d.Shown}
		now := g.vault.Now()
		if closed && g.policy.Reserve > 0 {
			d.Shown.each(func(s *state) { s.lock(time.Time{}, now) })
		}
		e.ExpiresAt = d.keepUntil(now)
		return nil
	})
	if err == nil && forgot {
		g.vault.Record(ctx, civicpin.Event{Code: eventDevicesForgotten, Subject: subject, By: by})
	}
	return e, err
}

// reopen lets devices become known again after an operator's lock has ended, and applies an act to the lanes of Policy.Reserve.
// seen is the record as it was before that. If another operator has locked since, it stays closed: too long at worst, until the
// next unlock, but never open past a lock.
func (g *Gate) reopen(ctx context.Context, seen store.Entry[devices], act func(*state)) error {
	if !seen.Value.Closed && seen.Value.Shown.empty() {
		return nil
	}
	forgotten := seen.Value.Forgotten
	_, err := g.devices.UpdateFrom(ctx, seen, func(e *store.Entry[devices]) error {
		if !e.Found() || e.Value.Closed && e.Value.Forgotten != forgotten {
			return store.ErrSkip
		}
		e.Value.Closed = false
		e.Value.Shown.each(act)
		e.ExpiresAt = e.Value.keepUntil(g.vault.Now())
		return nil
	})
	return err
}

// getDevices reads the lanes beside the target's; there are none beside a named lane, or if the policy has none.
func (g *Gate) getDevices(ctx context.Context, target Target) (e store.Entry[devices], err error) {
	if !g.hasBeside(target) {
		return e, nil
	}
	if e, err = g.devices.Get(ctx, store.Key{Subject: target.Subject}); errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return e, err
}

// hasDevices reports whether the known devices of a target's subject have lanes beside the target's.
func (g *Gate) hasDevices(target Target) bool { return target.Lane == "" && g.policy.Devices > 0 }

// hasBeside reports whether there are lanes beside a target's.
func (g *Gate) hasBeside(target Target) bool {
	return g.hasDevices(target) || target.Lane == "" && g.policy.Reserve > 0
}
