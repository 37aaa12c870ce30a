// Package stored cuts times that are read from records to what a right clock could have written. A clock that was ahead for a
// moment would else leave locks, waits and codes that hold until that day.
package stored

import (
	"reflect"
	"slices"
	"time"
)

// Slack is how far the clocks of two processes may be apart. A time that is later by no more is left as it is.
const Slack = time.Minute

// Times corrects the times of one record, one after the other. It is the work of one call. Make one with [At].
type Times struct {
	now     time.Time
	changed bool
	rights  []string // see Within
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

// Within returns a function that corrects all times of a record, wherever they stand in it. Spans says by the name of their
// field, "Until", or that with its type, "item.Until", how far ahead of the clock the ends of spans may be. Any other time is
// the moment of a write, and not after now; but ExpiresAt, when the store drops the record, stays unless it has a span, and so
// does what has the span [Any].
//
// Rights are the names of spans that give power, such as a code's. Such a record may lie unread for any time, and must not be
// good for its span then: if its end is ahead by more than the span and [Grace], it is over at once.
func Within[E any](spans map[string]time.Duration, rights ...string) func(e *E, now time.Time) (changed bool) {
	return func(e *E, now time.Time) bool {
		times := At(now)
		times.rights = rights
		times.within(reflect.ValueOf(e).Elem(), spans)
		return times.Changed()
	}
}

// Grace is how far ahead the moment of a write may be. It is longer than [Slack], since nothing is good for longer by it, and a
// process whose clock is behind must still find what it compares with what was written just now.
const Grace = time.Hour

// Any is the span of a time that the caller of the library chose.
const Any = time.Duration(-1)

func (s *Times) within(v reflect.Value, spans map[string]time.Duration) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			s.within(v.Elem(), spans)
		}
	case reflect.Slice:
		for i := 0; v.Type().Elem().Kind() == reflect.Struct && i < v.Len(); i++ {
			s.within(v.Index(i), spans)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			s.field(v.Type().Name(), v.Type().Field(i), v.Field(i), spans)
		}
	}
}

func (s *Times) field(owner string, f reflect.StructField, v reflect.Value, spans map[string]time.Duration) {
	if !f.IsExported() {
		return
	}
	t, ok := v.Addr().Interface().(*time.Time)
	if !ok {
		s.within(v, spans)
		return
	}
	name := owner + "." + f.Name
	longest, listed := spans[name]
	if !listed {
		name = f.Name
		longest, listed = spans[name]
	}
	if longest == Any || !listed && (f.Name == "ExpiresAt" || !t.After(s.now.Add(Grace))) {
		return
	}
	if slices.Contains(s.rights, name) && t.After(s.now.Add(longest+Grace)) {
		longest = 0
	}
	s.Cap(t, longest)
}
