package officehours_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/officehours"
)

const (
	guayaquil = "America/Guayaquil" // no clock is changed there
	madrid    = "Europe/Madrid"     // forward on 29 March, back on 25 October 2026
	santiago  = "America/Santiago"  // forward at midnight before 6 September 2026
	newYork   = "America/New_York"  // forward on 8 March, back on 1 November 2026
)

func TestNew(t *testing.T) {
	const hours, zone = "the hours do not begin before they end, within a day", "unknown time zone "
	for _, tc := range []struct {
		name     string
		from, to time.Duration
		zone     string
		want     string
	}{
		{"both zero", 0, 0, madrid, ""},
		{"from midnight", 0, time.Second, madrid, ""},
		{"to midnight", 23 * time.Hour, 24 * time.Hour, madrid, ""},
		{"a whole day", 0, 24 * time.Hour, madrid, ""},
		{"no zone is UTC", 8 * time.Hour, 17 * time.Hour, "", ""},
		{"before midnight", -1, time.Hour, madrid, hours},
		{"beyond midnight", 8 * time.Hour, 24*time.Hour + 1, madrid, hours},
		{"over midnight", 22 * time.Hour, 6 * time.Hour, madrid, hours},
		{"to zero alone", time.Hour, 0, madrid, hours},
		{"no time at all", 8 * time.Hour, 8 * time.Hour, madrid, hours},
		{"no such zone", 8 * time.Hour, 17 * time.Hour, "Europe/Atlantis", zone + "Europe/Atlantis"},
		{"the machine's own", 8 * time.Hour, 17 * time.Hour, "Local", zone + "Local"},
		{"a path", 8 * time.Hour, 17 * time.Hour, "../Madrid", zone + "../Madrid"},
	} {
		_, err := officehours.New(tc.from, tc.to, nil, tc.zone)
		if tc.want == "" {
			require.NoError(t, err, tc.name)
			continue
		}
		require.EqualError(t, err, tc.want, tc.name)
	}
}

// read returns a time on the wall of a zone; the zero time for "".
func read(t *testing.T, zone, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.LoadLocation(zone)
	require.NoError(t, err)
	layout := "2006-01-02 15:04:05"
	if len(text) > len(layout) {
		layout += " MST" // where a clock goes back, an hour comes twice
	}
	out, err := time.ParseInLocation(layout, text, at)
	require.NoError(t, err)
	return out
}

func TestOpens(t *testing.T) {
	const h, m, s = time.Hour, time.Minute, time.Second
	allButSunday := []time.Weekday{1, 2, 3, 4, 5, 6}
	monday, sunday := []time.Weekday{time.Monday}, []time.Weekday{time.Sunday}
	week := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	for _, tc := range []struct {
		name     string
		from, to time.Duration
		days     []time.Weekday
		zone     string
		now      string
		opens    string // "" if it is open
	}{
		{"all day", 0, 0, nil, guayaquil, "2026-03-02 00:00:00", ""},
		{"all day, late", 0, 0, nil, guayaquil, "2026-03-02 23:59:59", ""},
		{"from midnight to midnight", 0, 24 * h, nil, guayaquil, "2026-03-02 23:59:59", ""},
		{"before it opens", 8 * h, 17 * h, nil, guayaquil, "2026-03-02 07:59:59", "2026-03-02 08:00:00"},
		{"as it opens", 8 * h, 17 * h, nil, guayaquil, "2026-03-02 08:00:00", ""},
		{"before it closes", 8 * h, 17 * h, nil, guayaquil, "2026-03-02 16:59:59", ""},
		{"as it closes", 8 * h, 17 * h, nil, guayaquil, "2026-03-02 17:00:00", "2026-03-03 08:00:00"},
		{"on the last day of a month", 8 * h, 17 * h, nil, guayaquil, "2026-02-28 17:00:00", "2026-03-01 08:00:00"},
		{"minutes and seconds", 8*h + 30*m + 15*s, 17 * h, nil, guayaquil, "2026-03-02 08:30:14", "2026-03-02 08:30:15"},
		{"closes by the second", 8 * h, 16*h + 45*m + 10*s, nil, guayaquil, "2026-03-02 16:45:09", ""},
		{"closed by the second", 8 * h, 16*h + 45*m + 10*s, nil, guayaquil, "2026-03-02 16:45:10", "2026-03-03 08:00:00"},

		{"on its day", 8 * h, 17 * h, monday, guayaquil, "2026-03-02 12:00:00", ""},
		{"after its only day", 8 * h, 17 * h, monday, guayaquil, "2026-03-02 17:00:00", "2026-03-09 08:00:00"},
		{"the day before", 8 * h, 17 * h, monday, guayaquil, "2026-03-01 12:00:00", "2026-03-02 08:00:00"},
		{"over a weekend", 8 * h, 17 * h, week, guayaquil, "2026-03-06 17:00:00", "2026-03-09 08:00:00"},
		{"all day, on its day alone", 0, 0, monday, guayaquil, "2026-03-03 00:00:00", "2026-03-09 00:00:00"},
		{"no day of the week", 8 * h, 17 * h, []time.Weekday{7}, guayaquil, "2026-03-02 12:00:00", "2027-03-02 12:00:00"},

		{"the day is the zone's: still Monday there", 0, 0, monday, guayaquil, "2026-03-02 23:00:00", ""},
		{"not Monday yet", 0, 0, monday, guayaquil, "2026-03-01 23:00:00", "2026-03-02 00:00:00"},

		{"forward: its hours, the morning after", 8 * h, 17 * h, nil, madrid, "2026-03-28 17:00:00", "2026-03-29 08:00:00"},
		{"forward: opens as ever", 8 * h, 17 * h, nil, madrid, "2026-03-29 07:59:59", "2026-03-29 08:00:00"},
		{"forward: open", 8 * h, 17 * h, nil, madrid, "2026-03-29 08:00:00", ""},
		{"forward: closes as ever", 8 * h, 17 * h, nil, madrid, "2026-03-29 17:00:00", "2026-03-30 08:00:00"},
		{"forward: a day of 23 hours, all of it", 0, 0, sunday, madrid, "2026-03-29 23:59:59", ""},
		{"forward: a day of 23 hours, no more", 0, 0, sunday, madrid, "2026-03-30 00:00:00", "2026-04-05 00:00:00"},
		{"forward: to midnight", 8 * h, 24 * h, sunday, madrid, "2026-03-29 23:59:59", ""},
		{"forward: from a time that is skipped", 2*h + 30*m, 17 * h, nil, madrid, "2026-03-29 01:59:59", "2026-03-29 03:30:00"},
		{"forward: over the weekend", 8 * h, 17 * h, week, madrid, "2026-03-27 17:00:00", "2026-03-30 08:00:00"},
		{"forward, west", 8 * h, 17 * h, nil, newYork, "2026-03-08 07:59:59", "2026-03-08 08:00:00"},
		{"forward, west: closes as ever", 8 * h, 17 * h, nil, newYork, "2026-03-08 17:00:00", "2026-03-09 08:00:00"},

		{"forward at midnight: the skipped day", 0, 0, sunday, "Atlantic/Azores", "2026-03-29 12:00:00", ""},
		{"forward at midnight: as it begins", 0, 0, sunday, "Atlantic/Azores", "2026-03-29 01:00:00", ""},
		{"forward at midnight: from the day before", 0, 0, sunday, "Atlantic/Azores", "2026-03-28 12:00:00", "2026-03-29 01:00:00"},
		{"forward at midnight: the day before, to its end", 0, 0, []time.Weekday{6}, "Atlantic/Azores", "2026-03-28 23:59:59", ""},
		{
			"forward at midnight: asked at half past", 8 * h, 17 * h, sunday, "Atlantic/Azores",
			"2026-03-28 00:30:00", "2026-03-29 08:00:00",
		},
		{"forward at midnight: Chile", 0, 0, sunday, santiago, "2026-09-06 12:00:00", ""},
		{"forward at midnight: Chile, to its end", 0, 0, sunday, santiago, "2026-09-06 23:59:59", ""},
		{"forward at midnight: Chile, not on the other days", 0, 0, allButSunday, santiago, "2026-09-06 12:00:00", "2026-09-07 00:00:00"},
		{"forward at midnight: Chile, the day before", 0, 0, allButSunday, santiago, "2026-09-05 23:59:59", ""},
		{"forward at midnight: Chile, to midnight", 8 * h, 24 * h, nil, santiago, "2026-09-06 23:30:00", ""},
		{"forward at midnight: Chile, to the midnight before", 8 * h, 24 * h, nil, santiago, "2026-09-05 23:30:00", ""},
		{"forward at midnight: Chile, all hours skipped", 0, h, nil, santiago, "2026-09-05 23:30:00", "2026-09-07 00:00:00"},
		{"forward at midnight: Chile, some hours skipped", 0, 2 * h, nil, santiago, "2026-09-05 23:30:00", "2026-09-06 01:00:00"},
		{"back: opens as ever", 8 * h, 17 * h, nil, madrid, "2026-10-25 07:59:59", "2026-10-25 08:00:00"},
		{"back: open", 8 * h, 17 * h, nil, madrid, "2026-10-25 08:00:00", ""},
		{"back: closes as ever", 8 * h, 17 * h, nil, madrid, "2026-10-25 17:00:00", "2026-10-26 08:00:00"},
		{"back: a day of 25 hours, its first", 0, 0, sunday, madrid, "2026-10-25 00:00:00", ""},
		{"back: a day of 25 hours, the hour that comes first", 0, 0, sunday, madrid, "2026-10-25 02:30:00 CEST", ""},
		{"back: a day of 25 hours, the hour that comes again", 0, 0, sunday, madrid, "2026-10-25 02:30:00 CET", ""},
		{"back: a day of 25 hours, all of it", 0, 0, sunday, madrid, "2026-10-25 23:59:59", ""},
		{"back: a day of 25 hours, no more", 0, 0, sunday, madrid, "2026-10-26 00:00:00", "2026-11-01 00:00:00"},
		{"back, west", 8 * h, 17 * h, nil, newYork, "2026-11-01 07:59:59", "2026-11-01 08:00:00"},
		{"back, west: the next day", 8 * h, 17 * h, nil, newYork, "2026-10-31 17:00:00", "2026-11-01 08:00:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			hours, err := officehours.New(tc.from, tc.to, tc.days, tc.zone)
			require.NoError(t, err)
			now, want := read(t, tc.zone, tc.now), read(t, tc.zone, tc.opens)
			for _, now := range []time.Time{now, now.UTC(), now.In(time.FixedZone("far", 14*60*60))} {
				got := hours.Opens(now)
				require.True(t, want.Equal(got), "%v: %v, not %v", now, got, want)
				require.Equal(t, want.IsZero(), got.IsZero())
			}
		})
	}
}

// When the office opens next, it is open; and a moment before, it still opens then.
func TestOpensThen(t *testing.T) {
	const half = 30 * time.Minute
	days := []time.Weekday{time.Monday, time.Wednesday, time.Sunday}
	for _, zone := range []string{"", guayaquil, madrid, newYork} {
		hours, err := officehours.New(8*time.Hour+half, 13*time.Hour, days, zone)
		require.NoError(t, err)
		now, opened := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 0
		for end := now.AddDate(1, 0, 0); now.Before(end); now = now.Add(half) {
			next := hours.Opens(now)
			if next.IsZero() {
				opened++
				continue
			}
			require.True(t, next.After(now), now)
			require.Zero(t, hours.Opens(next), now)
			require.True(t, next.Equal(hours.Opens(next.Add(-1))), now)
		}
		require.InDelta(t, 3*52*9, opened, 9, "%q: three days a week, nine halves of an hour each", zone)
	}
}

// Hours that a change of the clock skips altogether are none: no other moment is promised that then is closed, too.
func TestOpensThenWithoutHours(t *testing.T) {
	hours, err := officehours.New(0, time.Hour, nil, santiago)
	require.NoError(t, err)
	for now := read(t, santiago, "2026-09-04 12:00:00"); now.Before(read(t, santiago, "2026-09-08 12:00:00")); now = now.Add(time.Minute) {
		if next := hours.Opens(now); !next.IsZero() {
			require.Zero(t, hours.Opens(next), now)
		}
	}
}

// The days are the caller's no more.
func TestNewKeepsACopy(t *testing.T) {
	days := []time.Weekday{time.Monday}
	hours, err := officehours.New(0, 0, days, "")
	require.NoError(t, err)
	days[0] = time.Tuesday
	require.Zero(t, hours.Opens(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)))
}
