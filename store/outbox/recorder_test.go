package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// recordedBy returns a process whose events a function is told.
func recordedBy(t *testing.T, s store.Store, clock func() time.Time, record civicpin.RecorderFunc) *rig {
	r := newRig(t, s, nil, nil)
	vault, err := store.OpenVault(t.Context(), s, keys(t), &store.Options{Now: clock, Recorder: record})
	require.NoError(t, err)
	r.clerk = newClerk(t, vault, "clerk")
	r.out, err = outbox.New(vault, r.sink, nil)
	require.NoError(t, err)
	require.NoError(t, r.out.Register("clerk", r.clerk))
	return r
}

// A recorder that panics ends neither the process nor the sending, and each message is closed.
func TestARecorderThatPanics(t *testing.T) {
	told := 0
	r := recordedBy(t, store.NewMemory(), nil, func(context.Context, civicpin.Event) { told++; panic("no room on the disk") })
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Positive(t, told)
	require.Equal(t, "accepted", r.clerk.state(t, ref))
	require.Len(t, r.sink.messages(), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

// A recorder that hangs past the claim does not have a message sent twice, since the message is closed before.
func TestARecorderThatHangs(t *testing.T) {
	f, clock := storetest.NewFaults(store.NewMemory()), newClock()
	other := newRig(t, f.Store(), clock, nil)
	r := recordedBy(t, f.Store(), clock.Now, func(ctx context.Context, e civicpin.Event) {
		if e.Code == "outbox.sent" {
			clock.Add(24 * time.Hour)
			require.NoError(t, other.out.Flush(context.Background()))
		}
	})
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.Empty(t, other.sink.messages())
}
