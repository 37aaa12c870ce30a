package testkit

import (
	"time"

	"github.com/civicpin/civicpin/lockout"
)

// A Tally is what failures come to in a gate's lane: no versions, no store, one act after the other. Models of services hold
// their answers against it.
type Tally struct {
	Policy lockout.Policy // the lane's
	Device bool           // a device's lane, in which a right guess resets everything

	Kept     int // failures since the last right guess
	Locks    int // ever set
	total    int // failures that show
	round    int // of those, since the last lock
	reached  int // limits, of those
	locked   bool
	disabled bool
	until    time.Time // of a lock that ends
	wait     time.Time // of a delay
	at       time.Time // of the last failure or lock
	forgiven time.Time // at, and a day for each failure forgiven since
	held     bool      // by a lock until unlocked that shows no longer
}

// NewTally returns the tally of the open lane of a policy without known devices.
func NewTally(p lockout.Policy) Tally {
	if p.Forget == 0 {
		p.Forget = 30 * 24 * time.Hour
	}
	if p.Ceiling == 0 {
		p.Ceiling = lockout.MaxCeiling
	}
	return Tally{Policy: p}
}

// Pass ends a lock that time has ended, forgives a failure for each day without one, and in the end all.
func (t *Tally) Pass(now time.Time) {
	if t.locked && !t.Locked(now) {
		t.locked, t.until, t.round = false, time.Time{}, 0
	}
	if !now.Before(t.wait) {
		t.wait = time.Time{}
	}
	const day = 24 * time.Hour
	if t.Device || t.at.IsZero() {
		return
	}
	if !now.Before(t.forgetAt()) {
		held := t.held || t.locked || t.disabled
		t.clear()
		t.held = held
		return
	}
	for !t.locked && !t.disabled && !now.Before(t.forgiven.Add(day)) {
		t.forgiven = t.forgiven.Add(day)
		t.round, t.total, t.reached = max(0, t.round-1), max(0, t.total-1), max(0, t.reached-1)
	}
}

// forgetAt is when all that shows is forgotten.
func (t *Tally) forgetAt() time.Time {
	const day = 24 * time.Hour
	if t.disabled || t.locked && t.until.IsZero() {
		return t.at.Add(max(400*day, t.Policy.Forget))
	}
	last := t.at
	for _, other := range []time.Time{t.until, t.wait} {
		if other.After(last) {
			last = other
		}
	}
	return last.Add(t.Policy.Forget)
}

// ForgetAt is when the record of an unknown subject goes that a guess has just left.
func (t *Tally) ForgetAt(now time.Time) time.Time {
	if at := t.forgetAt(); at.After(now.Add(t.Policy.Forget)) {
		return at
	}
	return now.Add(t.Policy.Forget)
}

// Locked reports whether a lock holds at a time, other than the ceiling.
func (t *Tally) Locked(at time.Time) bool {
	return t.locked && (t.until.IsZero() || at.Before(t.until))
}

// Fail counts a failure, which a guess that was not compared is, too.
func (t *Tally) Fail(at time.Time, compared bool) {
	t.Pass(at)
	if compared {
		t.Kept++
	}
	if t.disabled {
		return
	}
	t.total++
	if t.total >= t.Policy.Ceiling {
		t.disabled, t.at, t.forgiven = true, at, at
		t.Locks++
	}
	if t.Locked(at) {
		return
	}
	t.round++
	t.at, t.forgiven = at, at
	if after := t.Policy.DelayAfter; after > 0 && t.total >= after {
		t.wait = at.Add(grown(t.Policy.Delay, t.Policy.DelayMax, t.total-after))
	}
	if t.round >= t.Policy.Limit && !t.disabled {
		t.locked, t.until = true, time.Time{}
		if t.Policy.Lock == lockout.Timed {
			t.until = at.Add(grown(t.Policy.For, max(t.Policy.For, t.Policy.Max), t.reached))
		}
		t.reached++
		t.Locks++
	}
}

// grown is d, doubled n times, but at most most.
func grown(d, most time.Duration, n int) time.Duration {
	for range n {
		d = min(2*d, most)
	}
	return d
}

// Right counts a right guess.
func (t *Tally) Right() {
	t.Kept = 0
	if t.Device {
		t.clear()
	}
}

func (t *Tally) clear() { *t = Tally{Policy: t.Policy, Device: t.Device, Kept: t.Kept, Locks: t.Locks} }

// Guess is a guess by itself: it returns "locked", "refused" or "right", in the words of the models.
func (t *Tally) Guess(now time.Time, right bool) string {
	t.Pass(now)
	switch {
	case t.Refusal(now) != nil:
		return "locked"
	case right && !t.Hidden():
		t.Right()
		return "right"
	}
	t.Fail(now, !t.Hidden())
	if t.Answers(now) != nil {
		return "locked"
	}
	return "refused"
}

// Hidden reports whether every guess is refused as wrong.
func (t *Tally) Hidden() bool { return t.held || t.Kept >= t.Policy.Ceiling }

// Left is how many more failures lock, as it shows.
func (t *Tally) Left() int { return min(t.Policy.Limit-t.round, t.Policy.Ceiling-t.total) }

// Waits is when a delay ends.
func (t *Tally) Waits() time.Time { return t.wait }

// Refusal is what a guess is told at now that is not let in; nil if it is let in.
func (t *Tally) Refusal(now time.Time) *lockout.LockedError {
	switch {
	case t.disabled:
		return &lockout.LockedError{Scope: lockout.ScopeSubject, Disabled: true}
	case t.Locked(now):
		return &lockout.LockedError{Scope: lockout.ScopeSubject, Until: t.until}
	case now.Before(t.wait):
		return &lockout.LockedError{Scope: lockout.ScopeSubject, Until: t.wait}
	}
	return nil
}

// Answers is what a guess that was wrong is told of a lock; nil if it did not lock.
func (t *Tally) Answers(now time.Time) *lockout.LockedError {
	if t.disabled || t.locked {
		return t.Refusal(now)
	}
	return nil
}

// Room reports whether one more guess may be in flight beside n others.
func (t *Tally) Room(n int) bool {
	return n < t.Left() && (t.Policy.DelayAfter == 0 || n == 0 || t.total+n < t.Policy.DelayAfter)
}

// Lock is an operator's.
func (t *Tally) Lock(now time.Time) {
	t.Pass(now)
	t.locked, t.until, t.at, t.forgiven = true, time.Time{}, now, now
	t.Locks++
}

// Unlock is an operator's. It reports whether there is no ceiling in its way.
func (t *Tally) Unlock(now time.Time) bool {
	t.Pass(now)
	if t.disabled || t.Kept >= t.Policy.Ceiling {
		return false
	}
	t.locked, t.held, t.until, t.wait, t.round = false, false, time.Time{}, time.Time{}, 0
	return true
}

// Rebind forgets what is kept, and a lock that shows.
func (t *Tally) Rebind(now time.Time) {
	t.Pass(now)
	t.Kept, t.held = 0, false
	if t.Refusal(now) != nil {
		t.clear()
	}
}
