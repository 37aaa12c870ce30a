package pin_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
)

// A right secret whose outcome the store could not keep was never wrong: the log must not say so.
func TestRightSecretIsNotLoggedAsWrong(t *testing.T) {
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		k := newKitOn(t, c.Store(), pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		k.exchanged(t)
		k.events.Take()
		_ = c.During(t, func() error { return testkit.Err(k.Verify(t.Context(), try(chosen))) })
		for _, e := range k.events.Of("pin.refused") {
			require.NotEqual(t, "wrong", e.Reason)
		}
	})
}

// A visitor who hangs up while the hashing is full has typed nothing wrong: nothing was compared.
func TestVisitorWhoHangsUpIsNotLoggedAsWrong(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Permits = 1
	k := newKit(t, p)
	k.exchanged(t)
	k.events.Take()
	release := pin.Hold(k.Service, 1)
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	hashes := pin.Hashes(k.Service)
	_, err := k.Verify(ctx, try(chosen))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, hashes, pin.Hashes(k.Service), "nothing was compared")
	events := k.events.Of("pin.refused")
	require.Len(t, events, 1)
	require.Equal(t, "not checked", events[0].Reason)
}
