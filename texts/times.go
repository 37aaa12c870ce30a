package texts

import (
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
)

// told returns a time in words, short and long; "" if it is zero.
func (w *Writer) told(at time.Time, lang *language) (short, long string, err error) {
	if at.IsZero() {
		return "", "", nil
	}
	at = at.In(w.service.Location)
	if at.Year() < 2000 || at.Year() > 9999 {
		return "", "", fmt.Errorf("texts: a time in the year %d: %w", at.Year(), civicpin.ErrInvalid)
	}
	zone := ""
	if w.service.Location == time.UTC || twice(at) {
		zone = at.Format(" MST")
	}
	return lang.short(at) + zone, lang.long(at) + zone, nil
}

// twice reports whether the clocks of t's location show the time of t twice, since they go back around it.
func twice(t time.Time) bool {
	_, offset := t.Zone()
	gone := func(from, to int) time.Duration { return time.Duration(from-to) * time.Second } // how far the clocks go back
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		_, before := start.Add(-1).Zone()
		if t.Before(start.Add(gone(before, offset))) {
			return true
		}
	}
	if !end.IsZero() {
		_, after := end.Zone()
		return !t.Before(end.Add(-gone(offset, after)))
	}
	return false
}
