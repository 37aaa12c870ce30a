package texts_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

func TestNotifier(t *testing.T) {
	busy := errors.New("try later")
	var gotID string
	var gotTo civicpin.Contact
	var got texts.Text
	calls := 0
	n := writer(t, inps).Notifier(func(_ context.Context, id string, to civicpin.Contact, text texts.Text) (string, error) {
		gotID, gotTo, got = id, to, text
		if calls++; calls > 1 {
			return "", busy
		}
		return "r-1", nil
	})

	m := message(texts.PINPart, contacts[0], "it")
	receipt, err := n.Notify(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, "r-1", receipt)
	require.Equal(t, m.ID, gotID)
	require.Equal(t, m.To, gotTo)
	require.Contains(t, got.Body.Reveal(), "K7PX 2MQA")

	_, err = n.Notify(t.Context(), m)
	require.ErrorIs(t, err, busy)
	require.NotErrorIs(t, err, civicpin.ErrUndeliverable, "the sender's error stays passing")

	m.Kind = "pin.unheard"
	_, err = n.Notify(t.Context(), m)
	require.ErrorIs(t, err, civicpin.ErrUndeliverable)
	_, ok := errors.AsType[*texts.UnknownKindError](err)
	require.True(t, ok)
	require.Equal(t, 2, calls, "what cannot be worded is not sent")
}
