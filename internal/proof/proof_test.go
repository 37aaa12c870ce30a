package proof_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

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
