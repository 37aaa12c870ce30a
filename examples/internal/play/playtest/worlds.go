package playtest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/twoworlds"
)

// TwoWorlds plays random schedules of a visitor's calls under the policies and plans of a play, as the root module does under the
// ready ones: the same 40 each time, or as many others as the number in CIVICPIN_TWOWORLDS. No visitor can tell in which state a
// citizen is.
func TwoWorlds(t *testing.T, s twoworlds.Setup) {
	t.Helper()
	schedules, from := 40, uint64(0)
	if n, err := strconv.Atoi(os.Getenv("CIVICPIN_TWOWORLDS")); err == nil {
		schedules, from = n, rand.Uint64()
	}
	reached := twoworlds.Coverage{}
	for n := range schedules {
		seed := from + uint64(n)
		if d := twoworlds.Play(t, twoworlds.Random(seed), s, 40, reached); d != nil {
			t.Fatalf("seed %d: the worlds differ:\n%s", seed, d)
		}
	}
	for _, what := range []string{"refused{", "event outbox.sent", "event recovery.started"} {
		require.NotZero(t, reached[what], "no schedule reached %q: %v", what, reached)
	}
}
