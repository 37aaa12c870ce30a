package destination_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/turns"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func hourly(n int) civicpin.Rate { return civicpin.Rate{Limit: n, Window: time.Hour} }

// world is the limits over one store, with a clock.
type world struct {
	*destination.Limits
	clock *testkit.Clock
}

func newWorld(t *testing.T, s store.Store, c destination.Countries) *world {
	t.Helper()
	w := &world{clock: testkit.NewClock(time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC))}
	v, err := store.OpenVault(t.Context(), s, testkit.Keys(), &store.Options{Now: w.clock.Now, Adopt: true})
	require.NoError(t, err)
	w.Limits, err = destination.New(v, c)
	require.NoError(t, err)
	return w
}

func (w *world) message(subject civicpin.Subject, id, address string) destination.Message {
	return destination.Message{
		Place: w.Place("pin", subject, id), Subject: subject,
		To: civicpin.Contact{Channel: civicpin.Email, Address: address},
	}
}

func (w *world) atAddress(t *testing.T, c destination.Class, m destination.Message) destination.Answer {
	t.Helper()
	a, err := w.AtAddress(t.Context(), c, m)
	require.NoError(t, err)
	require.NotEmpty(t, a.Record)
	require.Equal(t, c.Name, a.Limit)
	return a
}

// A class of an address has one queue, however the address is spelt. Other classes, and other subjects of a class that has one
// queue a subject, do not wait.
func TestQueuesApart(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{})
	typed := destination.Class{Name: "typed", Rate: hourly(1)}
	shown := destination.Class{Name: "shown", Rate: hourly(1), PerSubject: true}
	require.Equal(t, turns.Go, w.atAddress(t, typed, w.message("A", "1", "maria@example.org")).Verdict)
	require.Equal(t, turns.Wait, w.atAddress(t, typed, w.message("A", "2", "Maria@Example.ORG")).Verdict)
	require.Equal(t, turns.Wait, w.atAddress(t, typed, w.message("B", "3", "maria@example.org")).Verdict)
	require.Equal(t, turns.Go, w.atAddress(t, typed, w.message("B", "4", "b@example.org")).Verdict)
	require.Equal(t, turns.Go, w.atAddress(t, shown, w.message("A", "5", "maria@example.org")).Verdict)
	require.Equal(t, turns.Go, w.atAddress(t, shown, w.message("B", "6", "maria@example.org")).Verdict)
	require.Equal(t, turns.Wait, w.atAddress(t, shown, w.message("B", "7", "maria@example.org")).Verdict)
}

// A message that was let through is let through again, and takes no second turn. A refund gives the turn back.
func TestATurn(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{})
	c := destination.Class{Name: "typed", Rate: hourly(2)}
	one, two, three := w.message("A", "1", "a@example.org"), w.message("A", "2", "a@example.org"), w.message("A", "3", "a@example.org")
	for range 3 {
		require.Equal(t, turns.Go, w.atAddress(t, c, one).Verdict)
	}
	require.Equal(t, turns.Go, w.atAddress(t, c, two).Verdict)
	w.Refund(t.Context(), c, two)
	require.Equal(t, turns.Go, w.atAddress(t, c, three).Verdict)
	require.Equal(t, turns.Wait, w.atAddress(t, c, w.message("A", "4", "a@example.org")).Verdict)
}

// A message that leaves makes room for the one behind it. To leave no queue is allowed.
func TestLeave(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{})
	c := destination.Class{Name: "typed", Rate: hourly(1)}
	first, gone, last := w.message("A", "1", "a@example.org"), w.message("A", "2", "a@example.org"), w.message("A", "3", "a@example.org")
	w.atAddress(t, c, first)
	a := w.atAddress(t, c, gone)
	w.atAddress(t, c, last)
	w.Leave(t.Context(), a.Record, gone.Place)
	w.Leave(t.Context(), "", last.Place)
	w.clock.Add(time.Hour)
	require.Equal(t, turns.Go, w.atAddress(t, c, last).Verdict)
}

// Messages of one group go as one; others of the class do not go with them.
func TestGroups(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{})
	c := destination.Class{Name: "notice", Rate: hourly(1), Merge: true}
	ask := func(id string, group ...string) turns.Verdict {
		m := w.message("A", id, "a@example.org")
		m.Group = group
		return w.atAddress(t, c, m).Verdict
	}
	require.Equal(t, turns.Go, ask("1", "pin", "locked"))
	require.Equal(t, turns.Wait, ask("2", "pin", "locked"))
	require.Equal(t, turns.Wait, ask("3", "pin", "locked"))
	require.Equal(t, turns.Wait, ask("4", "pin", "changed"))
	require.Equal(t, turns.Wait, ask("5"))
	w.clock.Add(time.Hour)
	first := w.message("A", "2", "a@example.org")
	first.Group = []string{"pin", "locked"}
	a := w.atAddress(t, c, first)
	require.Equal(t, turns.Go, a.Verdict)
	require.Equal(t, 1, a.More)
	require.Equal(t, turns.Wait, ask("3", "pin", "locked"), "until the other is sent")
	w.Sent(t.Context(), a.Record, first.Place)
	require.Equal(t, turns.Merged, ask("3", "pin", "locked"))
}

// A store that fails lets nothing through.
func TestAStoreThatFails(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	w := newWorld(t, f.Store(), destination.Countries{Home: hourly(1)})
	m := w.message("A", "1", "a@example.org")
	for _, ask := range []func() error{
		func() error {
			_, err := w.AtAddress(t.Context(), destination.Class{Name: "typed", Rate: hourly(1)}, m)
			return err
		},
		func() error { _, err := w.AtCountry(t.Context(), m, 0); return err },
		func() error { _, _, _, err := w.Held(t.Context(), "A"); return err },
	} {
		f.Reset()
		f.FailAt(1, storetest.NotDone)
		require.Error(t, ask())
	}
}

// What was noted of a subject is counted together for a day.
func TestNote(t *testing.T) {
	w := newWorld(t, store.NewMemory(), destination.Countries{})
	held := func() string {
		waited, expired, since, err := w.Held(t.Context(), "A")
		require.NoError(t, err)
		if since.IsZero() {
			return fmt.Sprint(waited, expired)
		}
		return fmt.Sprint(waited, expired, w.clock.Now().Sub(since))
	}
	require.Equal(t, "0 0", held())
	w.Note(t.Context(), "A", 1, 0)
	w.Note(t.Context(), "B", 7, 7)
	w.clock.Add(23 * time.Hour)
	w.Note(t.Context(), "A", 1, 1)
	require.Equal(t, "2 1 23h0m0s", held())
	w.clock.Add(time.Hour)
	require.Equal(t, "0 0", held())
	w.Note(t.Context(), "A", 0, 1)
	require.Equal(t, "0 1 0s", held())
	w.clock.Add(-time.Minute)
	require.Equal(t, "0 0", held(), "by a clock that was ahead")
}
