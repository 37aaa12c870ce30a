package choice

import "math"

// GuessBits returns what a chosen secret of so many characters is credited with against a guesser with few tries, in bits:
// half of what a random one of its length has. It is an estimate, not a bound: people who choose do not draw. Against 10
// to 100 guesses, six chosen digits were measured to be no better than four (Markert et al., arXiv 2003.04868); the rule
// credits them with ten bits, where four random digits have thirteen and six have twenty.
//
// The alphabets are 10 characters for Digits, 36 for Alphanumeric and 94, the printing ASCII ones, for Password. An
// unknown form and a length below one have no bits.
func GuessBits(form Form, length int) float64 {
	alphabet := 0
	switch form {
	case Digits:
		alphabet = 10
	case Alphanumeric:
		alphabet = 36
	case Password:
		alphabet = 94
	}
	if alphabet == 0 || length < 1 {
		return 0
	}
	return math.Log2(float64(alphabet)) * float64(length) / 2
}
