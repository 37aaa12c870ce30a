package stored

import (
	"reflect"
	"strings"
	"time"
)

// A right that was cut is in a zone of its own, whose name begins with one of these and says what the right was. The zone has
// no offset, so the right is written as any other time.
const (
	unsure = "cut "   // this process may be behind
	ahead  = "ahead " // the writer was: no process is so far behind
)

// marked returns a right that was cut, in its zone, which follows it wherever an update copies or moves it to. What is
// computed from it has the zone, too, and another time.
func marked(short, was time.Time, late bool) time.Time {
	kind := unsure
	if late {
		kind = ahead
	}
	name := kind + short.UTC().Format(time.RFC3339Nano) + " " + was.UTC().Format(time.RFC3339Nano)
	return short.In(time.FixedZone(name, 0))
}

// Swap puts what they were in the place of all rights of a record that were cut, wherever they stand in it, and the other way
// round the next time. A right that was set since stays. Swap reports whether there is one that was cut.
func Swap[E any](e *E) (swapped bool) {
	walk(func(_, _ string, t *time.Time) {
		zone, _ := t.Zone()
		kind, texts, _ := strings.Cut(zone, " ")
		if kind += " "; kind != unsure && kind != ahead {
			return
		}
		first, second, _ := strings.Cut(texts, " ")
		short, _ := time.Parse(time.RFC3339Nano, first) // from marked
		was, _ := time.Parse(time.RFC3339Nano, second)
		switch {
		case t.Equal(short):
			*t, swapped = was.In(t.Location()), true
		case t.Equal(was):
			*t, swapped = short.In(t.Location()), true
		}
	}).within(reflect.ValueOf(e).Elem())
	return swapped
}

// Over reports whether a right is over by the clock of any process, so that it may be dropped from its record. Whether it is
// good for the caller is another question.
func Over(t, now time.Time) bool {
	zone, _ := t.Zone()
	return !strings.HasPrefix(zone, unsure) && !now.Before(t)
}
