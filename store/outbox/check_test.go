package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// checking is a notifier that is asked in advance.
type checking struct {
	sink
	check func(civicpin.Message) error
}

func (c *checking) Check(m civicpin.Message) error { return c.check(m) }

func TestCheck(t *testing.T) {
	sample := civicpin.Message{
		Kind: "test", Secret: civicpin.NewSecret("SAMPLE12"), Params: map[string]string{"act": "a"},
		To: civicpin.Contact{Channel: "of somebody", Address: "somebody's", Locale: "es"},
	}
	tooLong := fmt.Errorf("%w: too long", civicpin.ErrUndeliverable)
	var asked []civicpin.Channel
	only := func(refused civicpin.Channel, err error) *checking {
		return &checking{check: func(m civicpin.Message) error {
			asked = append(asked, m.To.Channel)
			require.Equal(t, civicpin.Contact{Channel: m.To.Channel, Locale: "es"}, m.To, "no address is asked about")
			require.Equal(t, sample.Kind, m.Kind)
			require.Equal(t, "SAMPLE12", m.Secret.Reveal())
			require.Equal(t, sample.Params, m.Params)
			if m.To.Channel == refused {
				return err
			}
			return nil
		}}
	}
	panics := &checking{check: func(civicpin.Message) error { panic("at the gateway") }}
	all := []civicpin.Channel{civicpin.Push, civicpin.Letter, civicpin.SMS, civicpin.HandedOver, civicpin.Email}
	for name, tc := range map[string]struct {
		notifier civicpin.Notifier
		channels []civicpin.Channel
		refused  civicpin.Channel
		says     string
		asked    []civicpin.Channel
	}{
		"all are accepted":       {only("", nil), all, "", "", []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Email}},
		"one is refused":         {only(civicpin.SMS, tooLong), all, civicpin.SMS, "too long", []civicpin.Channel{civicpin.Push, civicpin.SMS}},
		"the last is refused":    {only(civicpin.Email, tooLong), all, civicpin.Email, "too long", []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Email}},
		"what the caller prints": {only(civicpin.Letter, tooLong), all, "", "", []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Email}},
		"no channel":             {only("", tooLong), nil, "", "", nil},
		"no Checker":             {&sink{}, all, "", "", nil},
		"no notifier":            {nil, all, "", "", nil},
		"another error":          {only(civicpin.Push, context.Canceled), all, civicpin.Push, "canceled", []civicpin.Channel{civicpin.Push}},
		"two errors as one": {
			only(civicpin.Push, errors.Join(civicpin.ErrUndeliverable, tooLong)), all, civicpin.Push,
			"civicpin: undeliverable: civicpin: undeliverable: too long",
			[]civicpin.Channel{civicpin.Push},
		},
		"a panic": {panics, all, civicpin.Push, "at the gateway", nil},
		"no route": {
			civicpin.ByChannel{civicpin.Push: &sink{}, civicpin.Email: &sink{}}, all, civicpin.SMS, "no notifier for channel sms", nil,
		},
		"a route that refuses": {
			civicpin.ByChannel{civicpin.Push: only(civicpin.Push, tooLong)}, all, civicpin.Push, "too long", []civicpin.Channel{civicpin.Push},
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked = nil
			f := newFaults(newMemory())
			vault, err := store.OpenVault(t.Context(), f.Store(), keys(t), nil)
			require.NoError(t, err)
			out, err := outbox.New(vault, tc.notifier, nil)
			require.NoError(t, err)
			calls := testkit.Calls(f, func() { err = out.Check(sample, tc.channels...) })
			require.Empty(t, calls)
			require.Equal(t, tc.asked, asked)
			require.Equal(t, civicpin.Channel("of somebody"), sample.To.Channel, "the sample stays as it is")
			if tc.refused == "" {
				require.NoError(t, err)
				return
			}
			var unsendable *outbox.UnsendableError
			require.ErrorAs(t, err, &unsendable)
			require.Equal(t, sample.Kind, unsendable.Kind)
			require.Equal(t, tc.refused, unsendable.Channel)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			require.ErrorIs(t, err, unsendable.Err)
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, string(tc.refused))
			require.NotContains(t, err.Error(), "SAMPLE12")
			require.NotContains(t, err.Error(), "\n", "one line")
		})
	}
}

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
	r := recordedBy(t, newMemory(), nil, func(context.Context, civicpin.Event) { told++; panic("no room on the disk") })
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
	f, clock := newFaults(newMemory()), newClock()
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
