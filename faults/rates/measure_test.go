package rates_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// errNoMore is what an operation gives that has nothing left to work on.
var errNoMore = errors.New("nothing left")

// An operation is done by the store and by hand, for a client of some number. It may keep what it needs between calls.
type operation struct {
	name string
	// store and raw do it once. raw is nil where the engine alone has nothing like it.
	store, raw func(ctx context.Context, client int) error
	// first, if there is one, makes what this one uses up: it is done before, for as long, and not measured.
	first *operation
	// alone says that it is done by one at a time: it is upkeep, and on nobody's path.
	alone bool
	// atLeast is which part of the engine's rate is asked of the store; zero asks nothing.
	atLeast float64
}

// A side is what was measured of one way of doing an operation.
type side struct {
	n     int
	spent time.Duration
}

func (s *side) rate() float64 { return float64(s.n) / s.spent.Seconds() }

func (s *side) add(o side) {
	s.n += o.n
	s.spent += o.spent
}

// measure does an operation as often as it can for a while, with that many clients, and once with each at least.
func measure(t *testing.T, clients int, while time.Duration, do func(context.Context, int) error) (s side) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for client := range clients {
		wg.Go(func() {
			n := 0
			for n == 0 || time.Since(start) < while {
				if err := do(t.Context(), client); errors.Is(err, errNoMore) {
					break
				} else if err != nil {
					t.Error(err)
					return
				}
				n++
			}
			mu.Lock()
			defer mu.Unlock()
			s.n += n
		})
	}
	wg.Wait()
	s.spent = time.Since(start)
	return s
}

// settings say how to measure.
type settings struct {
	rounds int
	slice  time.Duration // of each side in each round
	// trips counts the round trips so far; nil where there are none.
	trips func() int64
}

// A row is what came of a comparison.
type row struct {
	operation
	clients int
	trips   string  // round trips of the store for one operation
	rate    float64 // of the store, a second
	raw     string  // of the engine
	ratio   float64 // of the store's rate by the engine's; zero without
}

const header = "| store | operation | clients | round trips | a second | raw engine | ratio |\n| --- | --- | --- | --- | --- | --- | --- |\n"

// line returns the row as one of a table in Markdown.
func (r row) line(store string) string {
	ratio := "–"
	if r.raw != "–" {
		ratio = fmt.Sprintf("%.2f", r.ratio)
	}
	return fmt.Sprintf("| %s | %s | %d | %s | %.0f | %s | %s |\n", store, r.name, r.clients, r.trips, r.rate, r.raw, ratio)
}

// compare measures both sides in turns. The ratio is the median over the turns of the store's rate by the raw one's: what
// else the machine does comes in bursts, and would decide a comparison of two sums.
func (c settings) compare(t *testing.T, op operation, clients int) row {
	t.Helper()
	var store, raw side
	var used int64
	var ratios []float64
	for round := -1; round < c.rounds; round++ { // the first is for connections and caches, and does not count
		var s, r side
		var trips int64
		for turn := range 2 {
			if (round+turn)%2 == 0 {
				if op.first != nil {
					measure(t, clients, c.slice, op.first.store)
				}
				before := c.count()
				s = measure(t, clients, c.slice, op.store)
				trips = c.count() - before
			} else if op.raw != nil {
				if op.first != nil {
					measure(t, clients, c.slice, op.first.raw)
				}
				r = measure(t, clients, c.slice, op.raw)
			}
		}
		if round < 0 {
			continue
		}
		require.NotZero(t, s.n, op.name)
		store.add(s)
		used += trips
		if op.raw != nil {
			require.NotZero(t, r.n, op.name)
			raw.add(r)
			ratios = append(ratios, s.rate()/r.rate())
		}
	}
	result := row{operation: op, clients: clients, trips: "–", rate: store.rate(), raw: "–"}
	if c.trips != nil {
		result.trips = fmt.Sprintf("%.1f", float64(used)/float64(store.n))
	}
	if op.raw != nil {
		slices.Sort(ratios)
		result.raw, result.ratio = fmt.Sprintf("%.0f", raw.rate()), ratios[len(ratios)/2]
	}
	return result
}

func (c settings) count() int64 {
	if c.trips == nil {
		return 0
	}
	return c.trips()
}

// all compares every operation with one client and with many, and prints a table.
func (c settings) all(t *testing.T, store string, ops []operation) {
	t.Helper()
	var table strings.Builder
	table.WriteString(header)
	for _, clients := range []int{1, crowd} {
		for _, op := range ops {
			if op.alone && clients > 1 {
				continue
			}
			r := c.compare(t, op, clients)
			for tries := 0; r.ratio < op.atLeast; tries++ {
				require.Less(t, tries, 5, "%s: %.2f of the raw engine's rate, again and again", op.name, r.ratio)
				r = c.compare(t, op, clients)
			}
			table.WriteString(r.line(store))
		}
	}
	table.WriteString("\nThe ratio is the median over the turns, not the quotient of the two rates.\n")
	fmt.Println("\n" + table.String()) // not logged, for it is to be copied
}
