package pin_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store/storetest"
)

// A right secret whose outcome the store could not keep was never wrong: the log must not say so.
func TestRightSecretIsNotLoggedAsWrong(t *testing.T) {
	for call := 1; call <= 6; call++ {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		faults := storetest.NewFaults(k.memory)
		o := k.other(t, faults.Store())
		k.events.Take()
		f := testkit.Fault{Name: "not written", Outcome: storetest.NotDone, Call: call}
		_, err := f.During(t, faults, func() error {
			_, err := o.Verify(t.Context(), try(chosen))
			return err
		})
		for _, e := range k.events.Of("pin.refused") {
			require.NotEqual(t, "wrong", e.Reason, "call %d failed, Verify of the right secret returned %v", call, err)
		}
	}
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
