package choice_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/pin/rule"
)

// How often a random secret, which nobody would guess, is refused; and that enough is refused for it to matter: a
// blocklist helps chosen PINs once it holds about a tenth of them (arXiv 2003.04868).
func TestShareOfRandomSecretsThatIsRefused(t *testing.T) {
	const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for _, tt := range []struct {
		name     string
		rules    choice.Rules
		alphabet string
		length   int
		min, max float64
	}{
		{"4 digits", pin4, alnum[26:], 4, 0.10, 0.18},
		{"6 digits", pin6, alnum[26:], 6, 0.10, 0.15},
		{"8 digits", pin8, alnum[26:], 8, 0.01, 0.05},
		{"8 letters and digits", inps, alnum, 8, 0, 0.002},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// A fixed seed: the same figures in every run.
			rng := rand.New(rand.NewPCG(1, 2))
			const tries = 4_000
			refused := map[rule.Rule]int{}
			total := 0
			for range tries {
				secret := make([]byte, tt.length)
				for i := range secret {
					secret[i] = tt.alphabet[rng.IntN(len(tt.alphabet))]
				}
				if rule := ruleOf(t, tt.rules.Check(string(secret), mario)); rule != "" {
					refused[rule]++
					total++
				}
			}
			share := float64(total) / tries
			t.Logf("%.3f%% refused: %v", 100*share, refused)
			require.GreaterOrEqual(t, share, tt.min)
			require.LessOrEqual(t, share, tt.max)
		})
	}
}

// Dates of the last and this century are refused as PINs of eight digits, and of six.
func TestDatesAreRefused(t *testing.T) {
	days := [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	for year := 1900; year < 2100; year += 7 {
		for month, last := range days {
			for day := 1; day <= last; day += 5 {
				for _, secret := range []string{
					fmt.Sprintf("%02d%02d%d", day, month+1, year),
					fmt.Sprintf("%d%02d%02d", year, month+1, day),
				} {
					require.Error(t, pin8.Check(secret, nil), secret)
				}
				short := fmt.Sprintf("%02d%02d%02d", day, month+1, year%100)
				require.Error(t, pin6.Check(short, nil), short)
			}
		}
	}
}
