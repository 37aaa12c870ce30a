package otp

import (
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/standard"
	"github.com/civicpin/civicpin/lockout"
)

// minCodeBits are those of six decimal digits, the least that NIST SP 800-63B-4 3.1.3.2 asks for.
const minCodeBits = 19.93

// Breaks lists the clauses that the policy breaks, with what breaks them, also those that Exceptions names. The clauses are:
//   - "SP 800-63B-4 3.1.3.1": Channels lists a mailbox.
//   - "SP 800-63B-4 3.1.3.2": a code has less randomness than six digits.
//   - "guess budget": the chance to guess a code alone, see [CodePolicy.GuessProbability], is above [lockout.Budget].
func (p CodePolicy) Breaks() []civicpin.Breach {
	var list []civicpin.Breach
	for i, c := range p.Channels {
		if c.Mail() {
			list = append(list, civicpin.Breach{
				Clause: standard.NoMail, Field: fmt.Sprintf("Channels[%d]", i), Value: string(c), Set: "no mailbox",
			})
		}
	}
	if bits := code.Alphabet(p.Alphabet).Bits(p.Length); bits < minCodeBits {
		list = append(list, civicpin.Breach{
			Clause: standard.CodeBits, Field: "Length", Value: fmt.Sprintf("%d, %.1f bits", p.Length, bits), Set: "what has 20 bits",
		})
	}
	// The margin is for the arithmetic: six digits and a hundred tries are the budget itself.
	if alone, _ := p.GuessProbability(); alone > lockout.Budget*(1+1e-9) {
		list = append(list, guessable("Length", p.Length, alone, lockout.Budget))
	}
	return list
}

// guessable is the breach of a length whose codes are guessed with a chance p above the budget.
func guessable(field string, length int, p, budget float64) civicpin.Breach {
	return civicpin.Breach{
		Clause: standard.GuessBudget, Field: field, Value: fmt.Sprintf("%d, a chance of %.1e to guess it", length, p),
		Set: fmt.Sprintf("what leaves at most %.0e", budget),
	}
}

// checkClauses refuses a policy whose exceptions are not those that it needs, or for later.
func checkClauses(broken []civicpin.Breach, named []civicpin.Exception, later ...string) error {
	if err := standard.Check(broken, named, later...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	return nil
}
