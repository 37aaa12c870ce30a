package proof_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
)

func TestSeal(t *testing.T) {
	require.False(t, proof.Completed{}.Sealed())
	p := proof.New(proof.Completed{Subject: "subject", Run: "run", Epoch: 3})
	require.True(t, p.Sealed())
	require.Equal(t, uint64(3), p.Epoch)

	// What is written down loses it, and no text gives it back.
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(text), "ealed")
	for _, text := range []string{string(text), `{"sealed": true}`, `{"Sealed": true}`} {
		var back proof.Completed
		require.NoError(t, json.Unmarshal([]byte(text), &back))
		require.False(t, back.Sealed(), text)
	}
}

// What is left is never above the lost level, nor above what was shown. A possession of a time at which the level was lower
// leaves low.
func TestKept(t *testing.T) {
	const low, substantial, high = civicpin.Low, civicpin.Substantial, civicpin.High
	graded := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		kept       proof.Kept
		lost, want civicpin.Level
	}{
		"nothing was said":         {proof.Kept{}, high, low},
		"nothing was lost":         {proof.Kept{Level: high}, civicpin.NoLevel, civicpin.NoLevel},
		"the lost one is lower":    {proof.Kept{Level: substantial}, low, low},
		"the lost one is higher":   {proof.Kept{Level: substantial}, high, substantial},
		"seen":                     {proof.Kept{Level: high}, high, high},
		"known at the level":       {proof.Kept{Level: substantial, Known: graded.Add(1)}, substantial, substantial},
		"known when it was raised": {proof.Kept{Level: substantial, Known: graded}, substantial, low},
		"known before":             {proof.Kept{Level: substantial, Known: graded.Add(-1)}, substantial, low},
	} {
		require.Equal(t, tc.want, tc.kept.Of(tc.lost, graded), name)
	}
}
