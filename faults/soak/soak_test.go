package soak_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/soak"
	"github.com/civicpin/civicpin/store"
)

func TestMain(m *testing.M) {
	soak.Main()
	os.Exit(m.Run())
}

// TestSoak is ten seconds of what the command does for half an hour.
func TestSoak(t *testing.T) {
	for _, name := range []string{"sqlite+redis", "nats"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			s, inMemory := soak.Open(t, name)
			r, err := soak.Run(t.Context(), soak.Config{
				Store: s, InMemory: inMemory, Subjects: 30, Workers: 8, For: 10 * time.Second, Every: 200 * time.Millisecond, Out: &out,
			})
			require.NoError(t, err)
			require.NoError(t, r.Err())
			assert.GreaterOrEqual(t, strings.Count(out.String(), "\n"), 12)
			// On a loaded machine there are few hashes in ten seconds, so that not all that may happen does.
			for _, outcome := range []string{"code: in", "wrong code: refused", "issue: issued", "upkeep: purge", "upkeep: sweep"} {
				assert.NotZero(t, r.Outcomes[outcome], outcome)
			}
			t.Log("\n" + r.String())
		})
	}
}

// TestJudge: each of the four that grows is seen; what only wavers is not.
func TestJudge(t *testing.T) {
	steady := func(i int) soak.Sample {
		hashes := uint64(i % 3) // and more of them in the end
		if i > 50 && i%6 != 0 {
			hashes = 4
		}
		return soak.Sample{Heap: 50<<20 + hashes*19<<20, Resident: 100 << 20, Goroutines: 40 + i%5, Files: 20}
	}
	for name, grow := range map[string]func(i int, s *soak.Sample){
		"":                      func(int, *soak.Sample) {},
		"bytes of heap":         func(i int, s *soak.Sample) { s.Heap += uint64(i) << 21 },
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
		got := soak.Judge(all, false)
		if name == "" {
			assert.Empty(t, got)
			continue
		}
		require.Len(t, got, 1, name)
		assert.Contains(t, got[0], name)
		memory := name == "bytes of heap" || name == "resident bytes"
		assert.Equal(t, memory, len(soak.Judge(all, true)) == 0, "%s, where records are kept in memory", name)
	}
	assert.NotEmpty(t, soak.Judge(make([]soak.Sample, 11), false), "too few")
}

// TestRecover: a citizen has a PIN, recovers it, and has another one then.
func TestRecover(t *testing.T) {
	outcomes, wrong, err := soak.Recover(t.Context(), soak.Config{Store: store.NewMemory(), Subjects: 1})
	require.NoError(t, err)
	assert.Empty(t, wrong)
	assert.Equal(t, map[string]int{
		"issue: issued": 1, "exchange: in": 1, "contacts taken": 1, "login: in": 2, "recovery begun: begun": 1,
		"recovery: link looked at": 1, "recovery: in": 1, "wrong login: refused": 1,
	}, outcomes)
}
