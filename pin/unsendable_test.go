package pin_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/texts"
)

// New refuses a policy that its notifier cannot keep: a part that Issue promises must arrive.
func TestNewAsksTheNotifier(t *testing.T) {
	send := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return "", nil })
	words, err := texts.New(texts.Service{Name: "INPS"})
	require.NoError(t, err)
	worded := &testkit.Mailbox{Refuse: words.Check}
	routes := civicpin.ByChannel{}
	for channel := range pin.INPS().Valid {
		if !channel.Printed() {
			routes[channel] = send
		}
	}
	bySMSOnly := pin.INPS()
	delete(routes, civicpin.Voice)
	delete(bySMSOnly.Valid, civicpin.Voice)
	long := pin.INPS()
	long.Length = 25
	signs := pin.INPS()
	signs.Alphabet += "&"
	for name, tc := range map[string]struct {
		policy   pin.Policy
		notifier civicpin.Notifier
		refused  civicpin.Channel
	}{
		"no Checker":             {pin.INPS(), send, ""},
		"no notifier":            {pin.INPS(), nil, ""},
		"words for all of INPS":  {pin.INPS(), worded, ""},
		"words for the default":  {pin.Default(), worded, ""},
		"a route for all":        {bySMSOnly, routes, ""},
		"a channel has no route": {pin.INPS(), routes, civicpin.Voice},
		"too long for the texts": {long, worded, "certified-email"},
		"a symbol in no text":    {signs, worded, "certified-email"},
		"too long for no texts":  {long, send, ""},
	} {
		t.Run(name, func(t *testing.T) {
			vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
			require.NoError(t, err)
			out, err := outbox.New(vault, tc.notifier, nil)
			require.NoError(t, err)
			_, err = pin.NewCheap(vault, out, tc.policy)
			if tc.refused == "" {
				require.NoError(t, err)
				return
			}
			var unsendable *outbox.UnsendableError
			require.ErrorAs(t, err, &unsendable)
			require.Equal(t, pin.PartMessage, unsendable.Kind)
			require.Equal(t, tc.refused, unsendable.Channel)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
		})
	}
}
