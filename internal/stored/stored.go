// Package stored cuts times that are read from records to what a right clock could have written. A clock that was ahead for a
// moment would else leave locks, waits and codes that hold until that day.
//
// A process cannot tell whether the writer's clock was ahead or its own is behind. So waits and rights are cut differently. A
// wait is cut only where no process could be so far behind, and the cut is kept, or it would move on with each read. A right
// is cut at once and for this reader alone: what a process with a wrong clock makes of it must not end it for the others. So it
// is written as it was: see [Swap]. Where no process could be so far behind, the right is over, and that is kept: a visitor
// could else wait for the day that the writer's clock had, on which the right would be good once more.
package stored

import (
	"reflect"
	"slices"
	"time"
)

const (
	// Skew is how far behind the clock of a process may be without shortening a wait or ending a right for others, and so how
	// much too long a wait may be, and how much too late a right may be good, that a clock wrote which was ahead.
	Skew = 24 * time.Hour
	// Slack is how far the clocks of two processes may be apart without an effect on a right.
	Slack = time.Minute
	// Grace is how much later than its span a right may end that is cut to the span. One that ends later is over.
	Grace = time.Hour
	// Any is the span of a time that the caller of the library chose.
	Any = time.Duration(-1)
)

// Until cuts the end of a wait that was at most so long when it was written; with longest zero, the moment of a write. An end
// that is later than that from now, and [Skew], becomes the longest from now. The zero time stays: it means none or never.
// Until reports whether it cut the end, which is then to be kept.
func Until(t *time.Time, now time.Time, longest time.Duration) bool {
	return cut(t, now, longest, Skew)
}

// right cuts the end of a right that was good for at most so long when it was written. Such a record may lie unread for any
// time, and must not be good for its span then. The cut is to be kept if no clock that is right could have written the end.
func right(t *time.Time, now time.Time, longest time.Duration) (keep bool) {
	was := *t
	keep = was.After(now.Add(longest + Skew))
	if was.After(now.Add(longest + Grace)) {
		longest = 0
	}
	if cut(t, now, longest, Slack) && !keep {
		*t = marked(*t, was)
	}
	return keep
}

func cut(t *time.Time, now time.Time, longest, slack time.Duration) bool {
	if t.IsZero() || !t.After(now.Add(longest+slack)) {
		return false
	}
	*t = now.Add(longest)
	return true
}

// Within returns a function that cuts all times of a record, wherever they stand in it, and reports whether it cut one that is
// to be kept. Spans says by the name of their field, "Until", or that with its type, "item.Until", how far ahead of the clock
// the ends of spans may be. Any other time is the moment of a write; but ExpiresAt, when the store drops the record, stays
// unless it has a span, and so does what has the span [Any].
//
// Rights are the names of spans that give power, such as a code's. All others are waits, or what a subject may do in defence. A
// right beside a field For, how long the right was good when it was written, has that span if it is the shorter one: of several
// that may be written, the longest would let the others live longer that a clock ahead wrote.
func Within[E any](spans map[string]time.Duration, rights ...string) func(e *E, now time.Time) (keep bool) {
	return func(e *E, now time.Time) bool {
		times := times{now: now, spans: spans, rights: rights}
		walk(times.cut).within(reflect.ValueOf(e).Elem())
		return times.keep
	}
}

// A walk is called for each time of a record, with the type that it stands in, the name of its field, and the value of a field
// For beside it.
type walk func(owner, field string, own time.Duration, t *time.Time)

func (s walk) within(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			s.within(v.Elem())
		}
	case reflect.Slice:
		for i := 0; v.Type().Elem().Kind() == reflect.Struct && i < v.Len(); i++ {
			s.within(v.Index(i))
		}
	case reflect.Map:
		if v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		for of, value := range v.Seq2() {
			cut := reflect.New(value.Type()).Elem() // a value within a map cannot be changed
			cut.Set(value)
			s.within(cut)
			v.SetMapIndex(of, cut)
		}
	case reflect.Struct:
		var own time.Duration
		if f := v.FieldByName("For"); f.IsValid() {
			own, _ = reflect.TypeAssert[time.Duration](f)
		}
		for i := range v.NumField() {
			s.field(v.Type().Name(), own, v.Type().Field(i), v.Field(i))
		}
	}
}

func (s walk) field(owner string, own time.Duration, f reflect.StructField, v reflect.Value) {
	if !f.IsExported() {
		return
	}
	switch t := v.Addr().Interface().(type) {
	case *time.Time:
		s(owner, f.Name, own, t)
	case *[]time.Time:
		for i := range *t {
			s(owner, f.Name, own, &(*t)[i])
		}
	default:
		s.within(v)
	}
}

// times cuts the times of one record, one after the other.
type times struct {
	now    time.Time
	spans  map[string]time.Duration
	rights []string
	keep   bool
}

func (s *times) cut(owner, field string, own time.Duration, t *time.Time) {
	name := owner + "." + field
	longest, listed := s.spans[name]
	if !listed {
		name = field
		longest, listed = s.spans[name]
	}
	switch {
	case longest == Any || !listed && field == "ExpiresAt":
	case slices.Contains(s.rights, name):
		if own > 0 {
			longest = min(longest, own)
		}
		s.keep = right(t, s.now, longest) || s.keep
	case Until(t, s.now, longest):
		s.keep = true
	}
}
