package linear_test

import (
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/linear"
)

// Making the search quick changes no verdict.
func TestTightenKeepsVerdicts(t *testing.T) {
	counts := make(map[porcupine.CheckResult]int)
	for seed := range uint64(5000) {
		plain, tightened := linear.RandomVerdicts(rand.New(rand.NewPCG(seed, 1)))
		require.Equal(t, plain, tightened, "seed %d", seed)
		counts[plain]++
	}
	require.Greater(t, counts[porcupine.Ok], 1000)
	require.Greater(t, counts[porcupine.Illegal], 500)
}
