package ident

const cedula = "cédula"

// A Cedula is the ten digits of an Ecuadorian identity card.
type Cedula string

// ParseCedula returns the normal form of a typed cédula. Only its length and its check digit are held against it; what
// is merely unusual [Cedula.Warnings] tells. The error is an [*Error].
func ParseCedula(typed string) (Cedula, error) {
	s, err := clean(cedula, typed)
	switch {
	case err != nil:
		return "", err
	case len(s) != 10:
		return "", &Error{cedula, Length}
	case !digits(s):
		return "", &Error{cedula, Shape}
	case luhn(s[:9], true) != s[9]:
		return "", &Error{cedula, CheckDigit}
	}
	return Cedula(s), nil
}

// Province returns the number that the first two digits are: 1 to 24, or 30 for citizens registered abroad. Call it on a
// value that [ParseCedula] returned.
func (c Cedula) Province() int { return number(string(c[:2])) }

// Warnings returns what is unusual about a valid number: [Province], [ThirdDigit], both or nothing. Ask the person to look
// again, but do not turn them away: ranges are extended when they run out, and nobody tells the programs. Call it on a
// value that [ParseCedula] returned.
func (c Cedula) Warnings() []Problem {
	var w []Problem
	if p := c.Province(); (p < 1 || p > 24) && p != 30 {
		w = append(w, Province)
	}
	if c[2] > '5' {
		w = append(w, ThirdDigit)
	}
	return w
}
