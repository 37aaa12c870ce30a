package choice

// A Rule names why a secret was refused. The names are stable: callers translate them.
type Rule string

// The rules, in the order in which they are looked at: what tells the reader most about a better choice comes first.
const (
	// RuleLength: fewer characters than Min or more than Max.
	RuleLength Rule = "length"
	// RuleCharacters: a character that the form does not have.
	RuleCharacters Rule = "characters"
	// RuleRepeated: few different characters, or one piece over and over: 000000, 121212, AAAABBBB.
	RuleRepeated Rule = "repeated"
	// RuleSequence: made of characters that follow each other in the alphabet, in counting or on a keyboard.
	RuleSequence Rule = "sequence"
	// RuleDate: a date in digits.
	RuleDate Rule = "date"
	// RuleCommon: among the values that are guessed first, as it stands or with up to four digits or signs at its end.
	RuleCommon Rule = "common"
	// RulePersonal: a piece of what is known about the subject.
	RulePersonal Rule = "personal"
)

// An Error says which rule refused a secret (NIST SP 800-63B-4 3.1.1.2: the reason SHALL be given). It holds neither the
// secret nor the piece of personal data or the common value that it was like, so it may be shown and logged.
type Error struct {
	Rule Rule
}

func (e *Error) Error() string {
	switch e.Rule {
	case RuleLength:
		return "choice: refused: too short or too long"
	case RuleCharacters:
		return "choice: refused: has a character that is not allowed"
	case RuleRepeated:
		return "choice: refused: the same characters over and over"
	case RuleSequence:
		return "choice: refused: characters in sequence"
	case RuleDate:
		return "choice: refused: a date"
	case RuleCommon:
		return "choice: refused: one of the commonest choices"
	case RulePersonal:
		return "choice: refused: a piece of personal data"
	}
	return "choice: refused"
}
