package lockout

import (
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
)

// state is what a gate keeps for one subject and lane. Its methods are the whole logic of limits; they do no I/O.
//
// Two counts are kept (NIST SP 800-63B-4 3.2.2): round, since the last success or lock,
// brings the soft locks; total, since the last success, is reset by nothing else and brings the ceiling.
type state struct {
	Total     int       `json:"total,omitempty" export:"yes"`
	Round     int       `json:"round,omitempty" export:"yes"`
	Locks     int       `json:"locks,omitempty" export:"yes"` // reached limits since the last success: how long the next one lasts
	Locked    bool      `json:"locked,omitempty" export:"yes"`
	Until     time.Time `json:"until,omitzero" export:"yes"` // zero while locked: until unlocked
	Disabled  bool      `json:"disabled,omitempty" export:"yes"`
	NotBefore time.Time `json:"notBefore,omitzero" export:"yes"` // the delay after the last failure
	Epoch     uint64    `json:"epoch,omitempty"`                 // counts the locks ever set in this record
	Tries     []try     `json:"tries,omitempty"`                 // in flight
}

// A try is a guess that was taken and not yet settled.
type try struct {
	ID       string    `json:"id"`
	Deadline time.Time `json:"deadline"`
}

// empty reports whether forgetting the state would change nothing.
func (s *state) empty() bool {
	return s.Total == 0 && s.Round == 0 && !s.Locked && !s.Disabled && len(s.Tries) == 0
}

// sweep turns tries whose process must have died into failures, each as of its deadline, and sets the lock that the counts
// call for under a policy that has become stricter. It reports whether it changed anything.
func (s *state) sweep(p Policy, now time.Time) bool {
	epoch, changed := s.Epoch, false
	// No try that is still running can end later than this: a longer deadline comes from a clock that was ahead, and would
	// take the room of a guess until that day.
	latest := now.Add(maxTimeout + settleTime)
	for i := range s.Tries {
		if s.Tries[i].Deadline.After(latest) {
			s.Tries[i].Deadline, changed = latest, true
		}
	}
	slices.SortFunc(s.Tries, func(a, b try) int { return a.Deadline.Compare(b.Deadline) })
	n := 0
	for n < len(s.Tries) && !s.Tries[n].Deadline.After(now) {
		n++
	}
	dead := s.Tries[:n]
	s.Tries = slices.Clone(s.Tries[n:])
	for _, t := range dead {
		s.fail(p, t.Deadline)
	}
	s.enforce(p, now)
	return changed || n > 0 || s.Epoch != epoch
}

// softLocked reports whether a soft lock is in force at a time.
func (s *state) softLocked(at time.Time) bool {
	return s.Locked && (s.Until.IsZero() || at.Before(s.Until))
}

// refusal returns why no guess is let in at now, or nil.
func (s *state) refusal(now time.Time) *LockedError {
	switch {
	case s.Disabled:
		return &LockedError{Scope: ScopeSubject, Disabled: true}
	case s.softLocked(now):
		return &LockedError{Scope: ScopeSubject, Until: s.Until}
	case now.Before(s.NotBefore):
		return &LockedError{Scope: ScopeSubject, Until: s.NotBefore}
	}
	return nil
}

// markNew marks a lock in err as new if the event says that one was set, and it is the one in force.
func (s *state) markNew(err error, event civicpin.EventCode, now time.Time) {
	if locked, ok := errors.AsType[*LockedError](err); ok && event != "" {
		locked.New = s.Disabled || s.softLocked(now)
	}
}

// take reserves a guess. It gives a *LockedError or ErrInFlight where there is none to be had.
func (s *state) take(p Policy, now time.Time, id string) error {
	if locked := s.refusal(now); locked != nil {
		return locked
	}
	if s.Locked { // a timed lock that has ended
		s.Locked, s.Until, s.Round = false, time.Time{}, 0
	}
	room := s.left(p) - len(s.Tries)
	if p.DelayAfter > 0 && len(s.Tries) > 0 && s.Total+len(s.Tries) >= p.DelayAfter {
		room = 0 // if those in flight fail, this one has to wait; in parallel it would not
	}
	if room <= 0 {
		return ErrInFlight
	}
	s.Tries = append(s.Tries, try{ID: id, Deadline: p.deadline(now)})
	return nil
}

// left is how many failures lock, from here on.
func (s *state) left(p Policy) int { return min(p.Limit-s.Round, p.Ceiling-s.Total) }

// drop removes a try and reports whether it was there.
func (s *state) drop(id string) bool {
	n := len(s.Tries)
	s.Tries = slices.DeleteFunc(s.Tries, func(t try) bool { return t.ID == id })
	return len(s.Tries) < n
}

// fail counts a failure at a time. While locked it neither counts towards the next lock nor extends this one: a guess that
// was in flight when an operator locked must not. But the ceiling counts whatever was compared, or an operator who locks
// and unlocks at the right moments could give an accomplice any number of guesses.
func (s *state) fail(p Policy, at time.Time) {
	if s.Disabled {
		return
	}
	s.Total++
	if s.softLocked(at) {
		s.enforce(p, at)
		return
	}
	if s.Locked {
		s.Locked, s.Until, s.Round = false, time.Time{}, 0
	}
	s.Round++
	if p.DelayAfter > 0 && s.Total >= p.DelayAfter {
		s.NotBefore = at.Add(doubled(p.Delay, p.DelayMax, s.Total-p.DelayAfter))
	}
	s.enforce(p, at)
}

// enforce sets the lock that the counts call for, if it is not there yet.
func (s *state) enforce(p Policy, at time.Time) {
	switch {
	case s.Disabled:
	case s.Total >= p.Ceiling:
		s.Disabled = true
		s.Epoch++
	case !s.Locked && s.Round >= p.Limit:
		var until time.Time
		if p.Lock == Timed {
			until = at.Add(doubled(p.For, p.Max, s.Locks))
		}
		s.lock(until)
		s.Locks++
	}
}

// lock sets a soft lock.
func (s *state) lock(until time.Time) {
	s.Locked, s.Until = true, until
	s.Epoch++
}

// succeed counts a success that was taken at an epoch. If a lock was set since, the success resets nothing.
func (s *state) succeed(epoch uint64) {
	if s.Epoch != epoch {
		return
	}
	s.Total, s.Round, s.Locks = 0, 0, 0
	s.Locked, s.Until, s.NotBefore = false, time.Time{}, time.Time{}
}

// unlock ends soft locks and delays. The total stays: locking and unlocking must not buy more guesses than the ceiling.
func (s *state) unlock() {
	s.Locked, s.Until, s.NotBefore, s.Round = false, time.Time{}, time.Time{}, 0
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

// settle applies the outcome of a guess that was taken at an epoch, and returns what it comes to. A guess that is not there any
// more passed its deadline and was counted then: not even a right guess counts as right after that.
func (s *state) settle(p Policy, now time.Time, id string, epoch uint64, o outcome) error {
	s.sweep(p, now)
	there := s.drop(id)
	switch o {
	case refunded:
		return nil
	case succeeded:
		if !there {
			return ErrTimeout
		}
		s.succeed(epoch)
		if locked := s.refusal(now); locked != nil && s.Epoch != epoch {
			return locked
		}
		return nil
	}
	if there {
		s.fail(p, now)
	}
	if locked := s.refusal(now); locked != nil && (s.Locked || s.Disabled) {
		return locked
	}
	return &RefusedError{Left: max(1, s.left(p)), NextAt: s.NotBefore}
}
