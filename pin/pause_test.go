package pin_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestPausedIssue holds an issue up just before its record is written, for so long that dispatchers drop the entries that
// no record confirms. When it goes on and is acknowledged, its parts are sent all the same.
func TestPausedIssue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := store.NewMemory()
		faults := storetest.NewFaults(memory)
		k := newKitOn(t, faults.Store(), pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		other := k.other(t, memory)
		paused := false
		faults.Hook(func(method, key string) error {
			if method != storetest.Put || !strings.HasPrefix(key, "pin.inps/") || paused {
				return nil
			}
			paused = true
			for range 5 {
				k.clock.Add(time.Hour)
				require.NoError(t, other.out.Flush(t.Context()))
			}
			for item, err := range memory.List(t.Context(), "outbox.entry/", "") {
				require.NoError(t, err)
				require.Fail(t, "an entry without a record is dropped", item.Key)
			}
			return nil
		})
		_, err := k.Issue(t.Context(), maria, inps())
		require.NoError(t, err)
		require.True(t, paused)
		for range 3 {
			require.NoError(t, other.out.Flush(t.Context()))
			k.clock.Add(time.Hour)
		}
		_, right := other.works(t, k.last(phone)+k.last(email))
		require.True(t, right)
		require.Len(t, k.mail.Messages(), 2)
	})
}
