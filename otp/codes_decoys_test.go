package otp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/otp"
)

// Whoever knows somebody's number and nothing else gets requests that lead nowhere, and must not have the real ones make
// room for them.
func TestDecoysTakeNoRoom(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	for range 3 * k.Policy().MaxPending {
		_, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
		require.NoError(t, err)
	}
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 1)
	require.NoError(t, k.verify(t, req.ID, sent))
}

// What leads nowhere is bounded as well.
func TestDecoysAreBounded(t *testing.T) {
	k := newCodeKit(t, sms())
	first, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
	require.NoError(t, err)
	for range k.Policy().MaxPending {
		_, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
		require.NoError(t, err)
	}
	require.ErrorIs(t, k.Resend(t.Context(), ana, first.ID, home), otp.ErrWrongState, "the oldest made room")
}
