package soak_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/soak"
)

// TestSoak is ten seconds of what the command does for half an hour.
func TestSoak(t *testing.T) {
	var out strings.Builder
	r, err := soak.Run(t.Context(), soak.Config{
		Store: soak.Open(t, "sqlite+redis"), Subjects: 30, Workers: 8, For: 10 * time.Second, Every: 200 * time.Millisecond, Out: &out,
	})
	require.NoError(t, err)
	require.NoError(t, r.Err())
	assert.GreaterOrEqual(t, strings.Count(out.String(), "\n"), 12)
	// On a loaded machine there are few hashes in ten seconds, so that not all that may happen does.
	for _, outcome := range []string{"code: in", "wrong code: refused", "issue: issued", "upkeep: purge", "upkeep: sweep"} {
		assert.NotZero(t, r.Outcomes[outcome], outcome)
	}
	t.Log("\n" + r.String())
}

// TestJudge: each of the four that grows is seen; what only wavers is not.
func TestJudge(t *testing.T) {
	steady := func(i int) soak.Sample {
		return soak.Sample{Heap: 50<<20 + uint64(i%3)<<20, Resident: 100 << 20, Goroutines: 40 + i%5, Files: 20}
	}
	for name, grow := range map[string]func(i int, s *soak.Sample){
		"":                      func(int, *soak.Sample) {},
		"bytes of heap":         func(i int, s *soak.Sample) { s.Heap += uint64(i) << 20 },
		"resident bytes":        func(i int, s *soak.Sample) { s.Resident += uint64(i) << 22 },
		"goroutines":            func(i int, s *soak.Sample) { s.Goroutines += i },
		"files and connections": func(i int, s *soak.Sample) { s.Files += i / 2 },
	} {
		var all []soak.Sample
		for i := range 100 {
			s := steady(i)
			grow(i, &s)
			all = append(all, s)
		}
		got := soak.Judge(all)
		if name == "" {
			assert.Empty(t, got)
			continue
		}
		require.Len(t, got, 1, name)
		assert.Contains(t, got[0], name)
	}
	assert.NotEmpty(t, soak.Judge(make([]soak.Sample, 11)), "too few")
}
