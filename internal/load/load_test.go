package load_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/load"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// newCap is the cap of one process.
func newCap(t *testing.T, s store.Store, most int) *load.Cap {
	t.Helper()
	v, err := store.OpenVault(t.Context(), s, testkit.Keys(), &store.Options{Adopt: true})
	require.NoError(t, err)
	c, err := load.NewCap(v, most)
	require.NoError(t, err)
	require.Equal(t, most, c.Most())
	return c
}

func admit(t *testing.T, c *load.Cap, n int) bool {
	t.Helper()
	ok, err := c.Admit(t.Context(), n)
	require.NoError(t, err)
	return ok
}

// A process that reads that many wait refuses, and looks again after ten seconds.
func TestTheOtherProcessesRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.NewMemory()
		counts, asks := newCap(t, s, 100), newCap(t, s, 100)
		counts.Report(t.Context(), 100)
		require.False(t, admit(t, counts, 1))
		require.True(t, admit(t, asks, 100), "it has not looked yet")
		require.False(t, admit(t, asks, 1))
		counts.Report(t.Context(), 10)
		require.False(t, admit(t, asks, 1), "it looked just now")
		time.Sleep(10 * time.Second)
		require.True(t, admit(t, asks, 1))
		require.True(t, admit(t, asks, 80))
	})
}

// While few wait, nothing is written, and the store is asked once for many messages.
func TestFewCostNothing(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	c := newCap(t, f.Store(), 100_000)
	c.Report(t.Context(), 0) // which looks what the one before wrote
	f.Reset()
	c.Report(t.Context(), 49_999)
	for range 1000 {
		require.True(t, admit(t, c, 1))
	}
	require.Zero(t, f.Calls())
	require.True(t, admit(t, c, 1))
	require.Equal(t, 1, f.Calls())
}

// The number that a dispatcher wrote is believed for two hours.
func TestADispatcherThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.NewMemory()
		newCap(t, s, 100).Report(t.Context(), 1000)
		c := newCap(t, s, 100)
		require.False(t, admit(t, c, 101))
		time.Sleep(2*time.Hour - time.Second)
		require.False(t, admit(t, c, 1))
		time.Sleep(10 * time.Second)
		require.True(t, admit(t, c, 1))
	})
}

// A dispatcher that starts after a flood writes down that it is over: the one that saw the flood may be gone.
func TestAnotherDispatcherTellsTheEnd(t *testing.T) {
	s := store.NewMemory()
	newCap(t, s, 100).Report(t.Context(), 1000)
	newCap(t, s, 100).Report(t.Context(), 3)
	require.True(t, admit(t, newCap(t, s, 100), 101), "it looks, and finds 3")
}

// The end of a flood is written down, too.
func TestTheEndIsTold(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	c := newCap(t, f.Store(), 100)
	for i, n := range []int{80, 80, 10, 10} {
		f.Reset()
		c.Report(t.Context(), n)
		require.Equal(t, i < 3, f.Calls() > 0, "report %d", i)
	}
	asks := newCap(t, f.Store(), 100)
	require.True(t, admit(t, asks, 101), "it looks, and finds 10")
}

// A store that fails is an error, not a yes.
func TestAStoreThatFails(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	c := newCap(t, f.Store(), 100)
	f.Reset()
	f.FailAt(1, storetest.NotDone)
	ok, err := c.Admit(t.Context(), 101)
	require.Error(t, err)
	require.False(t, ok)
}
