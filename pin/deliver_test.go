package pin_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// states returns how far Maria's parts have come.
func (k *kit) states(t *testing.T) []state.Part {
	t.Helper()
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	var states []state.Part
	for _, p := range st.Parts {
		states = append(states, p.State)
	}
	return states
}

func TestReceipts(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	k.issued(t)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	first, second := st.Parts[0].Receipt, st.Parts[1].Receipt
	require.NotEqual(t, first, second)

	require.NoError(t, k.Receipt(ctx, first, state.Delivered))
	require.Equal(t, []state.Part{state.Delivered, state.Accepted}, k.states(t))
	require.NoError(t, k.Receipt(ctx, second, state.Failed))
	require.Equal(t, []state.Part{state.Delivered, state.Failed}, k.states(t))
	require.NoError(t, k.Receipt(ctx, first, state.Failed), "a late bounce")
	require.Equal(t, []state.Part{state.Failed, state.Failed}, k.states(t))

	for receipt, want := range map[string]error{
		"":                        civicpin.ErrInvalid,
		"nobody's":                pin.ErrNoCredential,
		"../../etc":               pin.ErrNoCredential,
		string(make([]byte, 257)): civicpin.ErrInvalid,
	} {
		require.ErrorIs(t, k.Receipt(ctx, receipt, state.Delivered), want)
	}
	for _, state := range []state.Part{"", state.Pending, state.Accepted, "lost"} {
		require.ErrorIs(t, k.Receipt(ctx, first, state), civicpin.ErrInvalid)
	}

	require.NoError(t, k.Resend(ctx, maria, 0, civicpin.Source{}))
	require.Equal(t, []state.Part{state.Pending, state.Failed}, k.states(t))
	require.NoError(t, k.Receipt(ctx, first, state.Delivered), "about a message that was replaced")
	require.Equal(t, []state.Part{state.Pending, state.Failed}, k.states(t))
	require.NoError(t, k.out.Flush(ctx))
	require.Equal(t, []state.Part{state.Accepted, state.Failed}, k.states(t))

	k.clock.Add(61 * day)
	require.ErrorIs(t, k.Receipt(ctx, first, state.Delivered), pin.ErrNoCredential)
}

func TestUndeliverable(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	k.mail.Fail = func(m civicpin.Message) error {
		if m.To.Channel == civicpin.SMS {
			return fmt.Errorf("%w: no such number", civicpin.ErrUndeliverable)
		}
		return nil
	}
	_, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(ctx))
	require.Equal(t, []state.Part{state.Failed, state.Accepted}, k.states(t))
	k.mail.Fail = nil
	require.NoError(t, k.Resend(ctx, maria, 0, civicpin.Source{}))
	require.NoError(t, k.out.Flush(ctx))
	require.Equal(t, []state.Part{state.Accepted, state.Accepted}, k.states(t))
	_, err = k.Verify(ctx, try(k.last(phone)+k.last(email)))
	require.NoError(t, err, "the same part, sent again")
}

func TestDownForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, pin.INPS())
		ctx := t.Context()
		down := true
		k.mail.Fail = func(civicpin.Message) error {
			if down {
				return errors.New("connection refused")
			}
			return nil
		}
		_, err := k.Issue(ctx, maria, inps())
		require.NoError(t, err)
		for range 5 {
			require.NoError(t, k.out.Flush(ctx))
			k.clock.Add(20 * time.Second)
		}
		require.Equal(t, []state.Part{state.Pending, state.Pending}, k.states(t))
		down = false
		k.clock.Add(2 * time.Hour)
		require.NoError(t, k.out.Flush(ctx))
		require.Equal(t, []state.Part{state.Accepted, state.Accepted}, k.states(t))
	})
}

func TestSuspendedPartsWait(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	_, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.Suspend(ctx, maria, "", clerk))
	require.NoError(t, k.out.Flush(ctx))
	require.Empty(t, k.mail.Messages())
	require.NoError(t, k.Resume(ctx, maria, "", clerk))
	k.clock.Add(3 * time.Hour)
	require.NoError(t, k.out.Flush(ctx))
	require.Len(t, k.mail.Messages(), 2)
}

func TestRevokedPartsAreNotSent(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	_, err := k.Issue(ctx, maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.Revoke(ctx, maria, "", clerk))
	for range 3 {
		require.NoError(t, k.out.Flush(ctx))
		k.clock.Add(time.Hour)
	}
	require.Empty(t, k.mail.Messages())
}

// The texts of the parts are gone once they are of no use any more.
func TestTextsAreErased(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *kit, string) error{
		"exchange": func(t *testing.T, k *kit, code string) error {
			return testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen)))
		},
		"revoke": func(t *testing.T, k *kit, _ string) error { return k.Revoke(t.Context(), maria, "", clerk) },
		"issue again": func(t *testing.T, k *kit, _ string) error {
			_, err := k.Issue(t.Context(), maria, inps())
			return err
		},
		"expiry": func(t *testing.T, k *kit, _ string) error {
			n, err := k.Sweep(t.Context(), 10)
			require.Zero(t, n, "not yet")
			require.NoError(t, err)
			k.clock.Add(7 * day)
			n, err = k.Sweep(t.Context(), 10)
			require.Equal(t, 1, n)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			code := k.issued(t)
			require.Contains(t, k.plain(t), code[:8])
			require.Contains(t, k.plain(t), code[8:])
			require.NoError(t, end(t, k, code))
			require.NotContains(t, k.plain(t), code[:8])
			require.NotContains(t, k.plain(t), code[8:])
		})
	}
}

func TestSweepIsBoundedAndPurgeDropsWhatWasNeverExchanged(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	for i := range 5 {
		_, err := k.Issue(ctx, civicpin.Subject(fmt.Sprint("S", i)), pin.IssueOptions{By: civicpin.Citizen, Parts: []civicpin.Contact{
			{Channel: civicpin.SMS, Address: fmt.Sprintf("+39333123456%d", i)},
			{Channel: civicpin.Email, Address: fmt.Sprintf("s%d@example.it", i)},
		}})
		require.NoError(t, err)
	}
	k.clock.Add(7 * day)
	for _, want := range []int{2, 2, 1, 0} {
		n, err := k.Sweep(ctx, 2)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	k.clock.Add(31 * day)
	_, err := k.Status(ctx, "S0")
	require.ErrorIs(t, err, pin.ErrNoCredential)
	for range 3 { // what they were to be sent is dropped as well
		require.NoError(t, k.out.Flush(ctx))
		k.clock.Add(time.Hour)
	}
	require.Empty(t, k.mail.Messages())
	_, err = k.vault.Purge(ctx, store.Pass{})
	require.NoError(t, err)
	for item, err := range k.memory.List(ctx, "", "") {
		require.NoError(t, err)
		require.Equal(t, "vault/canary", item.Key, "left behind")
	}
}

func TestSweepNeedsAListing(t *testing.T) {
	k := newKitOn(t, struct{ store.Store }{store.NewMemory()}, pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	_, err := k.Sweep(t.Context(), 1)
	require.ErrorIs(t, err, store.ErrNoListing)
}

func TestResendIsForWhatIsThere(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	require.ErrorIs(t, k.Resend(ctx, "", 0, civicpin.Source{}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Resend(ctx, maria, -1, civicpin.Source{}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Resend(ctx, maria, 2, civicpin.Source{}), civicpin.ErrInvalid)
	for range 3 {
		require.NoError(t, k.Resend(ctx, "NOBODY", 0, civicpin.Source{}))
	}
	k.exchanged(t)
	sent := len(k.mail.Messages())
	require.NoError(t, k.Resend(ctx, maria, 0, civicpin.Source{}), "exchanged: there is nothing to send")
	for range 3 {
		k.clock.Add(time.Hour)
		require.NoError(t, k.out.Flush(ctx))
	}
	require.Len(t, k.mail.Messages(), sent)
}
