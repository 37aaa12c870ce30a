package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestStoreCalls pins what the documentation of Verify says.
func TestStoreCalls(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	k := newKitOn(t, f.Store(), pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.exchanged(t)
	count := func(secret string) int {
		f.Reset()
		_, _ = k.Verify(t.Context(), try(secret))
		return f.Calls()
	}
	require.Equal(t, 4, count(chosen), "right")
	require.Equal(t, 4, count(wrong), "wrong")
	require.Equal(t, 4, count(chosen), "right after wrong")
	k.clock.Add(24 * time.Hour)
	require.Equal(t, 5, count(chosen), "once a day the use is noted")
	require.Equal(t, 4, count(chosen))
	for range 5 {
		count(wrong)
	}
	require.Equal(t, 1, count(chosen), "locked")

	k.clock.Add(15 * time.Minute)
	change := func(choice string) int {
		f.Reset()
		require.NoError(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(choice))))
		return f.Calls()
	}
	require.Equal(t, 5, change(changed), "a change")
	require.Equal(t, 4, change(changed), "the same once more")
}
