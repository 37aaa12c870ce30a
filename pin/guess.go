package pin

import (
	"math"

	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/lockout"
)

// GuessProbability returns the chances to guess the issued and the chosen secret before the ceiling of failures in a row
// disables the credential.
//
// For the issued secret, the attacker is taken to hold all parts but one. A chosen secret is credited with half the bits of a
// random one of its least length: chosen PINs of six digits are no better than four random ones against a hundred guesses
// (arXiv 2003.04868). The owner's own successes in between start the count again. Known devices change nothing: their lanes and
// the open one share the ceiling.
func (p Policy) GuessProbability() (issued, chosen float64) {
	p = p.withDefaults()
	tries := p.Lockout.Ceiling
	if tries == 0 {
		tries = lockout.MaxCeiling
	}
	chance := func(bits float64) float64 { return min(1, float64(tries)*math.Pow(2, -bits)) }
	return chance(code.Alphabet(p.Alphabet).Bits(p.Length)), chance(choice.GuessBits(p.Chosen.Form.rules(), p.Chosen.Min))
}
