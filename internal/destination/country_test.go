package destination_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
	"github.com/civicpin/civicpin/internal/turns"
	"github.com/civicpin/civicpin/store"
)

func (w *world) atCountry(t *testing.T, number string, slot int64, expires time.Time) destination.Answer {
	t.Helper()
	m := destination.Message{To: civicpin.Contact{Channel: civicpin.SMS, Address: number}, Expires: expires}
	a, err := w.AtCountry(t.Context(), m, slot)
	require.NoError(t, err)
	return a
}

// Each country has a rate: its own if it is at home, and that of Abroad if it is not.
func TestCountryRates(t *testing.T) {
	for name, tc := range map[string]struct {
		home []string
		want map[string]int
	}{
		"with home":    {[]string{"+593"}, map[string]int{"+593": 5, "+39": 2, "+34": 2}},
		"without home": {nil, map[string]int{"+593": 5, "+39": 5, "+34": 5}},
	} {
		w := newWorld(t, store.NewMemory(), destination.Countries{Home: hourly(5), Abroad: hourly(2), HomePrefixes: tc.home})
		for prefix, want := range tc.want {
			got := 0
			for i := range 8 {
				if w.atCountry(t, fmt.Sprintf("%s%09d", prefix, 991234560+i), 0, time.Time{}).Verdict == turns.Go {
					got++
				}
			}
			require.Equal(t, want, got, "%s %s", name, prefix)
		}
	}
}

// A message gets a turn once, and keeps it. The first that waits in an hour is told of.
func TestATurnOfACountry(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{Home: hourly(1)})
	require.Equal(t, turns.Go, w.atCountry(t, "+393331234567", 0, time.Time{}).Verdict)
	began := w.clock.Now()
	for i := 1; i <= 8; i++ {
		a := w.atCountry(t, "+393331234568", 0, time.Time{})
		require.Equal(t, turns.Wait, a.Verdict)
		require.Equal(t, i == 1, a.Tell)
		require.Equal(t, "country", a.Limit)
		slot := began.Add(time.Duration(i) * time.Hour)
		require.Equal(t, slot.UnixNano(), a.Slot)
		require.Equal(t, min(a.Slot, began.Add(turns.Again).UnixNano()), a.At.UnixNano(), "it asks again after some hours")
		again := w.atCountry(t, "+393331234568", a.Slot, time.Time{})
		require.Equal(t, a.Slot, again.Slot)
		require.Equal(t, a.At, again.At)
		require.Empty(t, again.Record, "no record was asked")
	}
	w.clock.Add(8 * time.Hour)
	require.Equal(t, turns.Go, w.atCountry(t, "+393331234568", began.Add(8*time.Hour).UnixNano(), time.Time{}).Verdict)
}

// A message is refused if its turn would come within the last fifth of its life, or after three days.
func TestRefused(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{Home: hourly(1)})
	w.atCountry(t, "+393331234567", 0, time.Time{})
	a := w.atCountry(t, "+393331234568", 0, w.clock.Now().Add(70*time.Minute))
	require.Equal(t, turns.Refuse, a.Verdict)
	require.Equal(t, "too many messages to one country", a.Why)
	require.True(t, a.Tell)
	waits := 0
	for ; w.atCountry(t, "+393331234568", 0, time.Time{}).Verdict == turns.Wait; waits++ {
		require.Less(t, waits, 100)
	}
	require.InDelta(t, 72, waits, 1)
}

// A turn far beyond what these rules give was given by a clock that was ahead: the message gets another.
func TestATurnByAClockThatWasAhead(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{Home: hourly(1)})
	slot := w.clock.Now().Add(30 * 24 * time.Hour).UnixNano()
	a := w.atCountry(t, "+393331234567", slot, time.Time{})
	require.Equal(t, turns.Go, a.Verdict)
	require.Equal(t, w.clock.Now().UnixNano(), a.Slot)
}

// More messages than the limit would let through are told of once an hour.
func TestWatch(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{Home: hourly(3)})
	told := 0
	for range 2 {
		for range 60 {
			if w.Watch("+39") {
				told++
			}
		}
		w.clock.Add(time.Hour)
	}
	require.Equal(t, 2, told)
	require.False(t, w.Watch("+34"))
	for range 10 {
		require.False(t, w.Watch(""))
	}
}
