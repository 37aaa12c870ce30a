package lockout

import "time"

// keepLock is how long a lock that does not end by time is shown.
const keepLock = 400 * 24 * time.Hour

// counts are failures and the locks that they set. Round, since the last lock, brings the soft locks; Total brings the ceiling
// (NIST SP 800-63B-4 3.2.2). A day without a failure takes one from each (state.age).
type counts struct {
	Total     int       `json:"total,omitempty" export:"yes"`
	Round     int       `json:"round,omitempty" export:"yes"`
	Locks     int       `json:"locks,omitempty" export:"yes"` // reached limits: how long the next lock lasts
	Locked    bool      `json:"locked,omitempty" export:"yes"`
	Until     time.Time `json:"until,omitzero" export:"yes"` // zero while locked: until unlocked
	Disabled  bool      `json:"disabled,omitempty" export:"yes"`
	NotBefore time.Time `json:"notBefore,omitzero" export:"yes"` // the delay after the last failure
	At        time.Time `json:"at,omitzero" export:"yes"`        // the last failure or lock
	Forgiven  time.Time `json:"forgiven,omitzero"`               // At, and a day for each failure that was forgiven since
	Epoch     uint64    `json:"epoch,omitempty"`                 // counts the locks ever set
}

// empty reports whether forgetting the counts would change nothing.
func (c *counts) empty() bool {
	return c.Total == 0 && c.Round == 0 && !c.Locked && !c.Disabled && c.NotBefore.IsZero()
}

// forget drops everything but the epoch.
func (c *counts) forget() { *c = counts{Epoch: c.Epoch} }

// softLocked reports whether a soft lock is in force at a time.
func (c *counts) softLocked(at time.Time) bool {
	return c.Locked && (c.Until.IsZero() || at.Before(c.Until))
}

// refusal returns why no guess is let in at now, or nil.
func (c *counts) refusal(now time.Time) *LockedError {
	switch {
	case c.Disabled:
		return &LockedError{Scope: ScopeSubject, Disabled: true}
	case c.softLocked(now):
		return &LockedError{Scope: ScopeSubject, Until: c.Until}
	case now.Before(c.NotBefore):
		return &LockedError{Scope: ScopeSubject, Until: c.NotBefore}
	}
	return nil
}

// left is how many failures lock, from here on.
func (c *counts) left(p Policy) int { return min(p.Limit-c.Round, p.Ceiling-c.Total) }

// room is how many more guesses may be in flight beside n others. Where a failure brings a delay, one guess at a time: in
// parallel it would not have to wait.
func (c *counts) room(p Policy, n int) int {
	if p.DelayAfter > 0 && n > 0 && c.Total+n >= p.DelayAfter {
		return 0
	}
	return c.left(p) - n
}

// fail counts a failure at a time. While locked it neither counts towards the next lock nor extends this one: a guess that
// was in flight when an operator locked must not. But the ceiling counts whatever was compared, or an operator who locks
// and unlocks at the right moments could give an accomplice any number of guesses.
func (c *counts) fail(p Policy, at time.Time) {
	if c.Disabled {
		return
	}
	c.Total++
	if c.softLocked(at) {
		c.enforce(p, at)
		return
	}
	c.Round++
	c.At, c.Forgiven = at, at
	if p.DelayAfter > 0 && c.Total >= p.DelayAfter {
		c.NotBefore = at.Add(doubled(p.Delay, p.DelayMax, c.Total-p.DelayAfter))
	}
	c.enforce(p, at)
}

// enforce sets the lock that the counts call for, if it is not there yet.
func (c *counts) enforce(p Policy, at time.Time) {
	switch {
	case c.Disabled:
	case c.Total >= p.Ceiling:
		c.Disabled, c.At, c.Forgiven = true, at, at
		c.Epoch++
	case !c.Locked && c.Round >= p.Limit:
		var until time.Time
		if p.Lock == Timed {
			until = at.Add(doubled(p.For, p.Max, c.Locks))
		}
		c.lock(until, at)
		c.Locks++
	}
}

// lock sets a soft lock.
func (c *counts) lock(until, at time.Time) {
	c.Locked, c.Until, c.At, c.Forgiven = true, until, at, at
	c.Epoch++
}

// release ends soft locks.
func (c *counts) release() { c.Locked, c.Until, c.Round = false, time.Time{}, 0 }

// unlock ends soft locks and delays. The total stays: locking and unlocking must not buy more guesses than the ceiling.
func (c *counts) unlock() {
	c.release()
	c.NotBefore = time.Time{}
}

// forgetAt is when counts of which nothing more becomes known are forgotten.
func (c *counts) forgetAt(p Policy) time.Time {
	if c.Disabled || c.Locked && c.Until.IsZero() {
		return c.At.Add(max(keepLock, p.Forget))
	}
	return later(c.At, c.Until, c.NotBefore).Add(p.Forget)
}

// doubled is d times 2^n, at most most.
func doubled(d, most time.Duration, n int) time.Duration {
	for range n {
		if d > most/2 {
			return most
		}
		d *= 2
	}
	return min(d, most)
}
