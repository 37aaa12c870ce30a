// Package gcra is the generic cell rate algorithm (ITU-T I.371): at most so many per window, in one timestamp of state.
package gcra

import (
	"time"

	"github.com/civicpin/civicpin"
)

// Take asks for n events at now, all or none; more than Limit count as Limit. State is the timestamp that the last Take or
// Refund returned, zero at first. If the events are within the rate it returns the new state; otherwise the old one and when
// to ask again. A state that was written by a clock far ahead is brought back to what it can be at most; that is to be kept,
// refused or not.
func Take(r civicpin.Rate, state, now time.Time, n int) (next time.Time, ok bool, again time.Time) {
	if state.Before(now) {
		state = now
	}
	// A state further ahead than the window comes from a clock that was ahead: it counts as a full window, no more.
	if limit := now.Add(r.Window); state.After(limit) {
		state = limit
	}
	if next = state.Add(cost(r, n)); next.After(now.Add(r.Window)) {
		return state, false, next.Add(-r.Window)
	}
	return next, true, time.Time{}
}

// Reserve asks for one event at now or later: it returns the new state, and when the event is within the rate, at most so
// many events ahead of those that are let in. ok is false, and the state unchanged, if it would be later. A state that no
// such rate could have written comes from a clock that was ahead: it counts as a full window, without any events ahead.
func Reserve(r civicpin.Rate, state, now time.Time, ahead int) (next, at time.Time, ok bool) {
	one := cost(r, 1)
	if state.Before(now) {
		state = now
	}
	if state.After(now.Add(r.Window + time.Duration(ahead)*one)) {
		state = now.Add(r.Window)
	}
	next, at = state.Add(one), state.Add(one-r.Window)
	if at.After(now.Add(time.Duration(ahead) * one)) {
		return state, time.Time{}, false
	}
	if at.Before(now) {
		at = now
	}
	return next, at, true
}

// Refund gives n events back.
func Refund(r civicpin.Rate, state time.Time, n int) time.Time { return state.Add(-cost(r, n)) }

func cost(r civicpin.Rate, n int) time.Duration {
	return time.Duration(min(n, r.Limit)) * (r.Window / time.Duration(r.Limit))
}
