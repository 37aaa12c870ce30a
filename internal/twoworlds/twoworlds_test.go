package twoworlds_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/internal/twoworlds"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

// draws lets rapid choose. Rapid prefers small numbers, and so chooses how far a number is from a random one.
type draws struct {
	t    *rapid.T
	from *rand.Rand
}

func drawing(t *rapid.T) draws {
	return draws{t, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
}

func (d draws) Int(label string, n int) int {
	return (rapid.IntRange(0, n-1).Draw(d.t, label) + d.from.IntN(n)) % n
}

// setups are the ready policies.
func setups() map[string]twoworlds.Setup {
	return map[string]twoworlds.Setup{
		"default":  {Pin: pin.Default(), Codes: otp.SMS()},
		"inps":     {Pin: pin.INPS(), Codes: otp.SMS()},
		"clavepin": {Pin: pin.Default(), Codes: otp.ClavePIN()},
	}
}

// TestTwoWorlds plays random schedules: no visitor can tell in which state the subject is.
func TestTwoWorlds(t *testing.T) {
	for name, setup := range setups() {
		t.Run(name, func(t *testing.T) {
			reached := twoworlds.Coverage{}
			rapid.Check(t, func(rt *rapid.T) {
				if d := twoworlds.Play(t, drawing(rt), setup, 40, reached); d != nil {
					rt.Fatalf("the worlds differ:\n%s", d)
				}
			})
			t.Log(reached)
			for _, word := range []string{"locked{", "refused{", "verify", "request a code", "start a recovery"} {
				require.NotZero(t, reached[word], "no schedule reached %q", word)
			}
		})
	}
}
