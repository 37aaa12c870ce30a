package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
)

// TestINPS walks the whole life of an INPS PIN: two halves, their exchange, locks, age, a revocation and a new issue.
func TestINPS(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()

	code := k.issued(t)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	require.Equal(t, state.Provisional, st.State)
	for _, p := range st.Parts {
		require.Equal(t, state.Accepted, p.State)
		require.NotEmpty(t, p.Receipt)
	}

	ok, err := k.Verify(ctx, try(code))
	require.NoError(t, err)
	require.True(t, ok.MustExchange)
	require.Equal(t, civicpin.NoLevel, ok.Level, "an issued secret is good for nothing but the exchange")

	require.NoError(t, testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	_, err = k.Verify(ctx, try(code))
	require.ErrorIs(t, err, pin.ErrRefused, "the issued secret never becomes the long-term one")

	ok, err = k.Verify(ctx, try("qz7w-k4pm"))
	require.NoError(t, err)
	require.False(t, ok.MustExchange)
	require.Equal(t, civicpin.Low, ok.Level)
	require.Equal(t, k.clock.Now().Add(90*24*time.Hour), ok.ExpiresAt)

	for range 4 {
		_, err = k.Verify(ctx, try(wrong))
		require.ErrorIs(t, err, pin.ErrRefused)
	}
	_, err = k.Verify(ctx, try(wrong))
	var locked *lockout.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, k.clock.Now().Add(15*time.Minute), locked.Until)
	_, err = k.Verify(ctx, try(chosen))
	require.ErrorAs(t, err, &locked, "the right PIN, too")
	k.clock.Add(15 * time.Minute)
	_, err = k.Verify(ctx, try(chosen))
	require.NoError(t, err)

	require.NoError(t, k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.InPerson, Document: "CA00000AA", By: clerk}))
	ok, err = k.Verify(ctx, try(chosen))
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, ok.Level, "dispositivo")

	k.clock.Add(90 * 24 * time.Hour)
	_, err = k.Verify(ctx, try(wrong))
	require.ErrorIs(t, err, pin.ErrRefused, "who does not know the PIN is not told that it expired")
	_, err = k.Verify(ctx, try(chosen))
	require.ErrorIs(t, err, pin.ErrExpired)
	require.NoError(t, testkit.Err(k.Change(ctx, try(chosen), civicpin.NewSecret("HJ4N8RTX"))))
	ok, err = k.Verify(ctx, try("HJ4N8RTX"))
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, ok.Level)

	require.NoError(t, k.Revoke(ctx, maria, "telephone stolen", clerk))
	_, err = k.Verify(ctx, try("HJ4N8RTX"))
	require.ErrorIs(t, err, pin.ErrRefused)

	code = k.issued(t)
	require.NoError(t, testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret("MN6B3VCX"))))
	ok, err = k.Verify(ctx, try("MN6B3VCX"))
	require.NoError(t, err)
	require.Equal(t, civicpin.Low, ok.Level, "a new request starts at low")
}
