package choice

import "github.com/civicpin/civicpin/pin/rule"

// An Error says which rule refused a secret (NIST SP 800-63B-4 3.1.1.2: the reason SHALL be given). It holds neither the
// secret nor the piece of personal data or the common value that it was like, so it may be shown and logged.
type Error struct {
	Rule rule.Rule
}

func (e *Error) Error() string {
	switch e.Rule {
	case rule.Length:
		return "choice: refused: too short or too long"
	case rule.Characters:
		return "choice: refused: has a character that is not allowed"
	case rule.Repeated:
		return "choice: refused: the same characters over and over"
	case rule.Sequence:
		return "choice: refused: characters in sequence"
	case rule.Date:
		return "choice: refused: a date"
	case rule.Common:
		return "choice: refused: one of the commonest choices"
	case rule.Personal:
		return "choice: refused: a piece of personal data"
	}
	return "choice: refused"
}
