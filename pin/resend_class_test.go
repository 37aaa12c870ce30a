package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// What anybody asks for again takes no place of what a clerk issues.
func TestResendsTakeNoPlaceOfTheIssues(t *testing.T) {
	events := &testkit.Recorder{}
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), &store.Options{Now: newClock().Now, Recorder: events})
	require.NoError(t, err)
	limits := testkit.Limits()
	limits.Shown = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	out, err := outbox.New(vault, &testkit.Mailbox{}, &outbox.Options{Limits: limits})
	require.NoError(t, err)
	pins, err := pin.NewCheap(vault, out, pin.INPS())
	require.NoError(t, err)
	o := inps()
	o.By = clerk
	_, err = pins.Issue(t.Context(), maria, o)
	require.NoError(t, err)
	require.NoError(t, out.Flush(t.Context()))
	require.NoError(t, pins.Resend(t.Context(), maria, 0, civicpin.Source{Address: "192.0.2.1"}))
	require.NoError(t, out.Flush(t.Context()))
	require.Empty(t, events.Of("outbox.held"))
	require.Len(t, events.Of("outbox.sent"), 3)
}
