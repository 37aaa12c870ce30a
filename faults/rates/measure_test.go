package rates_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An operation is done by the store and by hand, for a client of some number. It may keep what it needs between calls.
type operation struct {
	name string
	// store and raw do it once.
	store, raw func(ctx context.Context, client int) error
}

// A side is what was measured of one way of doing an operation.
type side struct {
	n     int
	spent time.Duration
	each  []time.Duration
}

func (s *side) rate() float64 { return float64(s.n) / s.spent.Seconds() }

func (s *side) median() time.Duration {
	slices.Sort(s.each)
	return s.each[len(s.each)/2]
}

// measure does an operation as often as it can for a while, with that many clients.
func (s *side) measure(t *testing.T, clients int, while time.Duration, do func(context.Context, int) error) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for client := range clients {
		wg.Go(func() {
			var each []time.Duration
			for time.Since(start) < while {
				at := time.Now()
				if err := do(t.Context(), client); errors.Is(err, errNoMore) {
					break
				} else if err != nil {
					t.Error(err)
					return
				}
				each = append(each, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			s.n += len(each)
			s.each = append(s.each, each...)
		})
	}
	wg.Wait()
	s.spent += time.Since(start)
}

// compare measures both sides in turns, and returns the median over the turns of the store's rate by the raw one's: what
// else the machine does comes in bursts, and would decide a comparison of two sums.
func compare(t *testing.T, op operation, clients, rounds int, slice time.Duration, trips func() int64) float64 {
	t.Helper()
	var store, raw side
	var used int64
	var ratios []float64
	for round := range rounds {
		var s, r side
		for turn := range 2 {
			if (round+turn)%2 == 0 {
				before := trips()
				s.measure(t, clients, slice, op.store)
				used += trips() - before
			} else {
				r.measure(t, clients, slice, op.raw)
			}
		}
		require.NotZero(t, s.n)
		require.NotZero(t, r.n)
		ratios = append(ratios, s.rate()/r.rate())
		store.add(s)
		raw.add(r)
	}
	slices.Sort(ratios)
	ratio := ratios[len(ratios)/2]
	roundTrips := "-"
	if used > 0 {
		roundTrips = fmt.Sprintf("%.2f", float64(used)/float64(store.n))
	}
	t.Logf("| %-8s | %2d | %7.0f | %7.0f | %4.2f | %8v | %8v | %4s |", op.name, clients, raw.rate(), store.rate(), ratio,
		raw.median().Round(time.Microsecond), store.median().Round(time.Microsecond), roundTrips)
	return ratio
}

func (s *side) add(o side) {
	s.n += o.n
	s.spent += o.spent
	s.each = append(s.each, o.each...)
}

const header = "| operation | clients | raw/s | store/s | ratio | raw median | store median | round trips |"
