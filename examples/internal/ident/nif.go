package ident

import "strings"

const nif = "DNI or NIE"

// A NIF is the Spanish number of a person in normal form, nine characters: a DNI "12345678Z", a NIE "X1234567L", or a
// number that begins with K, L or M.
type NIF string

// A NIFKind is one of the sorts of [NIF].
type NIFKind string

// The sorts of numbers that a natural person may have.
const (
	DNI     NIFKind = "DNI"     // citizens with an identity card
	NIE     NIFKind = "NIE"     // foreigners: X, Y or Z first
	Special NIFKind = "special" // K, L, M first: children without a card, citizens abroad, foreigners without a NIE
)

// Kind returns which sort of number it is. Call it on a value that [ParseNIF] returned.
func (n NIF) Kind() NIFKind {
	switch {
	case n != "" && strings.Contains("XYZ", string(n[:1])):
		return NIE
	case n != "" && strings.Contains("KLM", string(n[:1])):
		return Special
	}
	return DNI
}

// nifLetters holds the check letter of each remainder by 23. I, Ñ, O and U are left out, since they are misread.
const nifLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

// ParseNIF returns the normal form of a typed DNI or NIE, check letter included. Zeros that were left out in front of a DNI
// are put back. The error is an [*Error].
func ParseNIF(typed string) (NIF, error) {
	s, err := clean(nif, typed)
	if err != nil {
		return "", err
	}
	if len(s) < 2 || len(s) > 9 {
		return "", &Error{nif, Length}
	}
	body, letter := s[:len(s)-1], s[len(s)-1]
	// counted are the digits that the check letter is computed from. X, Y and Z stand for 0, 1 and 2; K, L and M for none.
	counted := body
	switch first := strings.IndexByte("XYZKLM", body[0]); {
	case first < 0:
		body = strings.Repeat("0", 8-len(body)) + body
		counted = body
	case len(body) != 8:
		return "", &Error{nif, Length}
	case first <= 2:
		counted = string(rune('0'+first)) + body[1:]
	default:
		counted = body[1:]
	}
	switch {
	case !digits(counted) || digits(string(letter)):
		return "", &Error{nif, Shape}
	case nifLetters[number(counted)%23] != letter:
		return "", &Error{nif, CheckDigit}
	}
	return NIF(body + string(letter)), nil
}
