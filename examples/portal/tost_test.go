package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	margin  = 1e6 // ns: a difference within it is none
	surely  = 3.1 // the t that one of a thousand goes reaches by chance
	trimmed = 4   // the reciprocal of what is cut off at each end
)

// equivalent does two one-sided tests (TOST) on paired differences in ns: that the mean lies above -margin, and below margin. It
// returns the lesser t, and the mean with its standard error. Both are of the trimmed mean (Yuen): what else the machine does
// falls on the ends.
func equivalent(differences []float64) (t, mean, se float64) {
	slices.Sort(differences)
	cut := len(differences) / trimmed
	inner := differences[cut : len(differences)-cut]
	for _, d := range inner {
		mean += d / float64(len(inner))
	}
	low, high := inner[0], inner[len(inner)-1]
	sum, squares := 0.0, 0.0
	for _, d := range differences {
		d = min(max(d, low), high) - mean
		sum, squares = sum+d, squares+d*d
	}
	n, h := float64(len(differences)), float64(len(inner))
	se = math.Sqrt((squares - sum*sum/n) / (h * (h - 1)))
	return (margin - math.Abs(mean)) / se, mean, se
}

// The two tests find a difference where there is one, and none where there is none, however noisy.
func TestEquivalent(t *testing.T) {
	sample := func(shift float64) (d []float64) {
		random := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			d = append(d, shift+5e6*random.NormFloat64())
		}
		return d
	}
	alike, mean, _ := equivalent(sample(0))
	require.Greater(t, alike, surely)
	require.InDelta(t, 0, mean, margin/2)
	for _, shift := range []float64{-1.2 * margin, margin, 2 * margin} {
		differs, mean, _ := equivalent(sample(shift))
		require.Less(t, differs, surely)
		require.InDelta(t, shift, mean, margin/2)
	}
}
