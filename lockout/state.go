package lockout

import (
	"slices"
	"time"
)

// state is what a gate keeps for one subject and lane. Its methods are the whole logic of limits; they do no I/O.
//
// Two counts are kept (STANDARDS.md names the clause: NIST SP 800-63B-4 3.2.2): round, since the last success or lock,
// brings the soft locks; total, since the last success, is reset by nothing else and brings the ceiling.
type state struct {
	Total     int       `json:"total,omitempty"`
	Round     int       `json:"round,omitempty"`
	Locks     int       `json:"locks,omitempty"` // locks since the last success: how long the next one lasts
	Locked    bool      `json:"locked,omitempty"`
	Until     time.Time `json:"until,omitzero"` // zero while locked: until unlocked
	Disabled  bool      `json:"disabled,omitempty"`
	NotBefore time.Time `json:"notBefore,omitzero"` // the delay after the last failure
	Epoch     uint64    `json:"epoch,omitempty"`    // counts the locks ever set in this record
	Tries     []try     `json:"tries,omitempty"`    // in flight
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

// sweep turns tries whose process must have died into failures, each as of its deadline. It reports whether there were any.
func (s *state) sweep(p Policy, now time.Time) bool {
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
	return n > 0
}

// refusal returns why no guess is let in at now, or nil.
func (s *state) refusal(now time.Time) *LockedError {
	switch {
	case s.Disabled:
		return &LockedError{Scope: ScopeSubject, Disabled: true}
	case s.Locked && (s.Until.IsZero() || now.Before(s.Until)):
		return &LockedError{Scope: ScopeSubject, Until: s.Until}
	case now.Before(s.NotBefore):
		return &LockedError{Scope: ScopeSubject, Until: s.NotBefore}
	}
	return nil
}

// take reserves a guess. It gives a *LockedError or ErrBusy where there is none to be had.
func (s *state) take(p Policy, now time.Time, id string) error {
	if locked := s.refusal(now); locked != nil {
		return locked
	}
	if s.Locked { // a timed lock that has ended
		s.Locked, s.Until, s.Round = false, time.Time{}, 0
	}
	room := s.left(p) - len(s.Tries)
	if p.DelayAfter > 0 && s.Total >= p.DelayAfter && len(s.Tries) > 0 {
		room = 0 // parallel guesses would not wait for each other's delay
	}
	if room <= 0 {
		return ErrBusy
	}
	s.Tries = append(s.Tries, try{ID: id, Deadline: now.Add(p.Timeout + settleTime)})
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

// fail counts a failure at a time. While locked it does nothing, so that guesses in flight cannot extend a lock.
func (s *state) fail(p Policy, at time.Time) {
	if s.Disabled || s.Locked && (s.Until.IsZero() || at.Before(s.Until)) {
		return
	}
	if s.Locked {
		s.Locked, s.Until, s.Round = false, time.Time{}, 0
	}
	s.Total++
	s.Round++
	if p.DelayAfter > 0 && s.Total >= p.DelayAfter {
		s.NotBefore = at.Add(doubled(p.Delay, p.DelayMax, s.Total-p.DelayAfter))
	}
	switch {
	case s.Total >= p.Ceiling:
		s.Disabled = true
		s.Epoch++
	case s.Round >= p.Limit:
		var until time.Time
		if p.Lock == Timed {
			until = at.Add(doubled(p.For, p.Max, s.Locks))
		}
		s.lock(until)
	}
}

// lock sets a soft lock.
func (s *state) lock(until time.Time) {
	s.Locked, s.Until = true, until
	s.Locks++
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
		if d >= most/2 {
			return most
		}
		d *= 2
	}
	return min(d, most)
}
