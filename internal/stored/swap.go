package stored

import (
	"reflect"
	"strings"
	"time"
)

// unsure begins the name of the zone that a right is in which was cut, and which says what the right was: this process may be
// behind. The zone has no offset, so the right is written as any other time.
const unsure = "cut "

// marked returns a right that was cut, in its zone, which follows it wherever an update copies or moves it to. What is
// computed from it has the zone, too, and another time.
func marked(short, was time.Time) time.Time {
	name := unsure + short.UTC().Format(time.RFC3339Nano) + " " + was.UTC().Format(time.RFC3339Nano)
	return short.In(time.FixedZone(name, 0))
}

// Swap puts what they were in the place of all rights of a record that were cut, wherever they stand in it, and the other way
// round the next time. A right that was set since stays. Swap reports whether there is one that was cut.
func Swap[E any](e *E) (swapped bool) {
	walk(func(_, _ string, _ time.Duration, t *time.Time) {
		zone, _ := t.Zone()
		texts, cut := strings.CutPrefix(zone, unsure)
		if !cut {
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
