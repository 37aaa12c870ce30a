package lockout

import (
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/stored"
)

// state is what a gate keeps for one subject and lane. Its methods are the whole logic of limits; they do no I/O.
//
// Its counts are shown, and are those that an unknown subject would have: no right guess resets them, time alone forgives them.
// So a stranger learns neither that the owner logged in, nor, after a month, that counts of known subjects last. What is never
// forgotten is kept beside them, and does not show: a guess that only this refuses is refused as wrong, and not compared.
type state struct {
	counts
	Kept  int   `json:"kept,omitempty" export:"yes"` // failures since the last right guess, towards the ceiling
	Held  bool  `json:"held,omitempty" export:"yes"` // by a lock, or a ceiling, that was shown for keepLock
	Tries []try `json:"tries,omitempty"`             // in flight
}

// A try is a guess that was taken and not yet settled.
type try struct {
	ID       string    `json:"id"`
	Deadline time.Time `json:"deadline"`
	Blind    bool      `json:"blind,omitempty"` // what is kept did not let it in: it is not compared
}

// empty reports whether forgetting the state would change nothing.
func (s *state) empty() bool { return s.counts.empty() && s.nothingKept() }

// nothingKept reports whether the state is empty but for what is shown. A lock that does not end by time is kept when it shows
// no longer, also one that an operator set where nothing had failed.
func (s *state) nothingKept() bool {
	return s.Kept == 0 && !s.Held && len(s.Tries) == 0 && (!s.Locked || !s.Until.IsZero())
}

// hidden reports whether what is kept, with n guesses in flight, refuses a guess that what is shown lets in.
func (s *state) hidden(p Policy, n int) bool { return s.Held || s.Kept+n >= p.Ceiling }

// sweep turns tries whose process must have died into failures, each as of its deadline, forgives what time forgives, and sets
// the lock that the counts call for under a policy that has become stricter. It reports whether it changed anything that must
// be stored.
func (s *state) sweep(p Policy, now time.Time) bool {
	epoch, changed := s.Epoch, s.believe(p, now)
	slices.SortFunc(s.Tries, func(a, b try) int { return a.Deadline.Compare(b.Deadline) })
	n := 0
	for n < len(s.Tries) && !s.Tries[n].Deadline.After(now) {
		n++
	}
	dead := s.Tries[:n]
	s.Tries = slices.Clone(s.Tries[n:])
	for _, t := range dead {
		s.fail(p, t.Deadline, t)
	}
	s.age(p, now)
	s.enforce(p, now)
	return changed || n > 0 || s.Epoch != epoch
}

// believe cuts the times that a clock wrote which was far ahead, and reports whether it cut one: such a clock must not lock for
// years, nor take the room of a guess. Where locks do not end by time, one that does is of another policy, and no clock's.
func (s *state) believe(p Policy, now time.Time) bool {
	cut := stored.Until(&s.NotBefore, now, p.DelayMax)
	if p.Lock == Timed && stored.Until(&s.Until, now, p.Max) {
		cut = true
	}
	for i := range s.Tries {
		if stored.Until(&s.Tries[i].Deadline, now, maxTimeout+settleTime) {
			cut = true
		}
	}
	return cut
}

// age forgives what time forgives by now: a timed lock and a delay that have ended, one failure for each day without one, and
// all of them after Policy.Forget. So an owner's typing errors do not add up over days, though no right guess takes them back.
func (s *state) age(p Policy, now time.Time) {
	if s.Locked && !s.softLocked(now) {
		s.release()
	}
	if !now.Before(s.NotBefore) {
		s.NotBefore = time.Time{}
	}
	if p.private || s.At.IsZero() {
		return
	}
	if !now.Before(s.forgetAt(p)) {
		s.Held = s.Held || s.Locked || s.Disabled
		s.forget()
		return
	}
	if step := p.forgiveEvery(); !s.Locked && !s.Disabled && now.Sub(s.Forgiven) >= step {
		n := int(now.Sub(s.Forgiven) / step)
		s.Forgiven = s.Forgiven.Add(time.Duration(n) * step)
		s.Round, s.Total, s.Locks = max(0, s.Round-n), max(0, s.Total-n), max(0, s.Locks-n)
	}
}

// markNew marks a lock in err as new if the event says that one was set, and it is the one in force.
func (s *state) markNew(err error, event civicpin.EventCode, now time.Time) {
	if locked, ok := errors.AsType[*LockedError](err); ok && event != "" {
		locked.New = s.Disabled || s.softLocked(now)
	}
}

// take reserves a guess. It gives a *LockedError or ErrInFlight where there is none to be had.
func (s *state) take(p Policy, now time.Time, id string) (try, error) {
	if locked := s.refusal(now); locked != nil {
		return try{}, locked
	}
	compared := 0
	for _, t := range s.Tries {
		if !t.Blind {
			compared++
		}
	}
	t := try{ID: id, Deadline: p.deadline(now), Blind: s.hidden(p, compared)}
	if s.room(p, len(s.Tries)) <= 0 {
		return try{}, ErrInFlight
	}
	s.Tries = append(s.Tries, t)
	return t, nil
}

// drop removes a try and reports whether it was there.
func (s *state) drop(id string) bool {
	n := len(s.Tries)
	s.Tries = slices.DeleteFunc(s.Tries, func(t try) bool { return t.ID == id })
	return len(s.Tries) < n
}

// fail counts a try as a failure at a time.
func (s *state) fail(p Policy, at time.Time, t try) {
	s.age(p, at)
	s.counts.fail(p, at)
	if !t.Blind {
		s.Kept++
	}
}

// succeed counts a success that was taken at an epoch. If a lock was set since, the success resets nothing.
func (s *state) succeed(p Policy, epoch uint64) {
	if s.Epoch != epoch {
		return
	}
	s.Kept = 0
	if p.private {
		s.clear()
	}
}

// unlock ends soft locks and delays, whether they show or not.
func (s *state) unlock() {
	s.counts.unlock()
	s.Held = false
}

// rebind forgets what is kept. What is shown stays unless it is a lock: strangers must not learn that a secret was bound.
func (s *state) rebind(now time.Time) {
	s.Kept, s.Held = 0, false
	if s.refusal(now) != nil {
		s.forget()
	}
}

// clear forgets all failures of a lane that strangers have no way into, and ends its lock.
func (s *state) clear() {
	s.forget()
	s.Kept, s.Held = 0, false
}

// settle applies the outcome of a guess that was taken at an epoch, and returns what it comes to. A guess that is not there any
// more passed its deadline and was counted then: not even a right guess counts as right after that.
func (s *state) settle(p Policy, now time.Time, t try, epoch uint64, o outcome) error {
	s.sweep(p, now)
	there := s.drop(t.ID)
	switch o {
	case refunded:
		return nil
	case succeeded:
		if !there {
			return ErrTimeout
		}
		s.succeed(p, epoch)
		if locked := s.refusal(now); locked != nil && s.Epoch != epoch {
			return locked
		}
		return nil
	}
	if there {
		s.fail(p, now, t)
	}
	if locked := s.refusal(now); locked != nil && (s.Locked || s.Disabled) {
		return locked
	}
	refused := &RefusedError{NextAt: s.NotBefore}
	if p.ShowLeft || p.private {
		refused.Left = max(1, s.left(p))
	}
	return refused
}
