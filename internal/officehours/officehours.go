// Package officehours says when an office is open.
package officehours

import (
	"errors"
	"slices"
	"time"
)

const day = 24 * time.Hour

// Hours are those on the wall of the office: a day whose clock is changed has its hours all the same.
type Hours struct {
	from, to time.Duration
	days     []time.Weekday
	zone     *time.Location
}

// New returns the hours from one time since midnight to another, both zero for all day, on the given days, none for all, in
// the time zone of a name as time.LoadLocation takes it; "Local" is refused, since it differs from machine to machine.
func New(from, to time.Duration, days []time.Weekday, zone string) (Hours, error) {
	if from < 0 || to > day || from > to || from == to && from != 0 {
		return Hours{}, errors.New("the hours do not begin before they end, within a day")
	}
	at, err := time.LoadLocation(zone)
	if err != nil || at == time.Local {
		return Hours{}, errors.New("unknown time zone " + zone)
	}
	return Hours{from: from, to: to, days: slices.Clone(days), zone: at}, nil
}

// Opens returns when the office opens next; zero if it is open now.
func (h Hours) Opens(now time.Time) time.Time {
	now = now.In(h.zone)
	y, m, today := now.Date()
	for i := range 9 {
		d := today + i
		at := func(since time.Duration) time.Time { return h.onWall(y, m, d, since) }
		from, to := at(h.from), at(h.to)
		if h.from == h.to {
			to = at(day)
		}
		on := len(h.days) == 0 || slices.Contains(h.days, time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday())
		if !on || !now.Before(to) || !from.Before(to) { // the last if a change of the clock skips all these hours
			continue
		}
		if now.Before(from) {
			return from
		}
		return time.Time{}
	}
	return now.AddDate(1, 0, 0) // no day of the week at all: refused by no call that checks for that, so closed
}

// onWall returns when the clock shows a time of a day. One that is skipped is the end of the gap or later: time.Date may
// return a time before it, on the day before if the clock is put forward at midnight.
func (h Hours) onWall(y int, m time.Month, d int, since time.Duration) time.Time {
	minutes, seconds := int(since/time.Minute), int(since%time.Minute/time.Second)
	want, t := time.Date(y, m, d, 0, minutes, seconds, 0, time.UTC), time.Date(y, m, d, 0, minutes, seconds, 0, h.zone)
	_, offset := t.Zone()
	return t.Add(max(0, want.Sub(t.Add(time.Duration(offset)*time.Second))))
}
