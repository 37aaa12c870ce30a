// Package stored cuts times that are read from records to what a right clock could have written. A clock that was ahead for a
// moment would else leave locks, waits and codes that hold until that day.
package stored

import "time"

// Slack is how far the clocks of two processes may be apart. A time that is later by no more is left as it is.
const Slack = time.Minute

// Times corrects the times of one record, one after the other. It is the work of one call. Make one with [At].
type Times struct {
	now     time.Time
	changed bool
}

// At returns what corrects times at a moment.
func At(now time.Time) *Times { return &Times{now: now} }

// Changed reports whether a time was later than a right clock could have written.
func (s *Times) Changed() bool { return s.changed }

// Cap corrects a time that was at most so long after the clock when it was written: the end of a span, or with longest zero
// the moment of the write. A time beyond that becomes the longest span from now. The zero time stays: it means none or never.
func (s *Times) Cap(t *time.Time, longest time.Duration) {
	if Until(t, s.now, longest) {
		s.changed = true
	}
}

// CapNano is Cap for a time in nanoseconds since 1970, where zero means none.
func (s *Times) CapNano(t *int64, longest time.Duration) {
	if *t == 0 {
		return
	}
	at := time.Unix(0, *t)
	if Until(&at, s.now, longest) {
		*t, s.changed = at.UnixNano(), true
	}
}

// Until is [Times.Cap] for a single time. It reports whether it changed the time.
func Until(t *time.Time, now time.Time, longest time.Duration) bool {
	if t.IsZero() || !t.After(now.Add(longest+Slack)) {
		return false
	}
	*t = now.Add(longest)
	return true
}
