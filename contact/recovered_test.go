package contact_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
)

// A caller can have the compiler infer the type of a proof and fill it in. Without its seal it changes nothing.
func TestRecoveredWantsASeal(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	p := proof.Completed{
		Subject: rosa, Run: "run", Change: bookChange, Corrected: byNewMail, Undo: k.clock.Now().Add(bookDay), By: civicpin.Citizen,
	}
	require.ErrorIs(t, k.Recovered(t.Context(), p), civicpin.ErrInvalid)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
	require.NoError(t, k.Recovered(t.Context(), proof.New(p)))
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))

	undo := proof.Completed{Subject: rosa, Run: "run", Change: bookChange, Repudiated: true}
	require.ErrorIs(t, k.Recovered(t.Context(), undo), civicpin.ErrInvalid)
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.NoError(t, k.Recovered(t.Context(), proof.New(undo)))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
}
