package ident

import (
	"regexp"
	"strings"
	"time"
)

const codiceFiscale = "codice fiscale"

// A CodiceFiscale is an Italian tax code in normal form: 16 letters and digits, or the 11 digits of a provisional code.
//
// Two people whose 16 characters would be the same are told apart by letters in the place of digits (omocodia). The code
// is therefore kept as it was written: undoing those letters would make one subject of two people.
type CodiceFiscale string

// cfShape allows a letter of "LMNPQRSTUV" in each of the seven places that hold digits.
var cfShape = regexp.MustCompile(`^[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]$`)

// ParseCodiceFiscale returns the normal form of a typed codice fiscale. The error is an [*Error].
func ParseCodiceFiscale(typed string) (CodiceFiscale, error) {
	s, err := clean(codiceFiscale, typed)
	if err != nil {
		return "", err
	}
	c := CodiceFiscale(s)
	switch {
	case len(s) != 11 && len(s) != 16:
		return "", &Error{codiceFiscale, Length}
	case c.Provisional() && (!digits(s) || s == "00000000000"), !c.Provisional() && !cfShape.MatchString(s):
		return "", &Error{codiceFiscale, Shape}
	case c.Provisional() && luhn(s[:10], false) != s[10], !c.Provisional() && cfCheck(s[:15]) != s[15]:
		return "", &Error{codiceFiscale, CheckDigit}
	}
	if b, ok := c.Birth(); ok && !b.exists() {
		return "", &Error{codiceFiscale, Date}
	}
	return c, nil
}

// Provisional reports whether this is a code of 11 digits, as given out until the proper one is ready. It says nothing
// about birth date and sex.
func (c CodiceFiscale) Provisional() bool { return len(c) == 11 }

// cfOdd holds the value of each of 0-9 and then of A-Z in the first, third, … place; a digit counts as much as the letter
// of its number there (Decree of 23 December 1976).
var cfOdd = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

// cfCheck returns the letter that follows the 15 characters of s, taken as they are written.
func cfCheck(s string) byte {
	sum := 0
	for i := range len(s) {
		n := int(s[i] - 'A')
		if digits(s[i : i+1]) {
			n = int(s[i] - '0')
		}
		if i%2 == 0 {
			n = cfOdd[n]
		}
		sum += n
	}
	return byte('A' + sum%26)
}

// A Sex is what a codice fiscale says of it.
type Sex string

// The two that the code knows.
const (
	Male   Sex = "M"
	Female Sex = "F"
)

// A Birth is what a codice fiscale tells about its holder's birth.
type Birth struct {
	// Year is the year's last two digits: the code does not tell the century. [Birth.Date] guesses it.
	Year  int
	Month time.Month
	Day   int
	Sex   Sex
}

// Birth reads birth date and sex; ok is false for a provisional code, which tells neither. Call it on codes that
// [ParseCodiceFiscale] returned.
func (c CodiceFiscale) Birth() (b Birth, ok bool) {
	if !cfShape.MatchString(string(c)) {
		return Birth{}, false
	}
	b = Birth{
		Year:  number(string(c[6:8])),
		Month: time.Month(1 + strings.IndexByte("ABCDEHLMPRST", c[8])),
		Day:   number(string(c[9:11])),
		Sex:   Male,
	}
	if b.Day > 40 {
		b.Day, b.Sex = b.Day-40, Female
	}
	return b, true
}

// number reads digits, some of which may be written as letters (omocodia).
func number(s string) int {
	n := 0
	for i := range len(s) {
		d := strings.IndexByte("LMNPQRSTUV", s[i])
		if d < 0 {
			d = int(s[i] - '0')
		}
		n = 10*n + d
	}
	return n
}

// exists reports whether the day is in the calendar of that year in some century: 29 February of 00 is, thanks to 2000.
func (b Birth) exists() bool { return sameDay(2000+b.Year, b) }

// Date returns the last such day up to now, at midnight UTC. Who is 100 years old or more is taken for a child: where that
// matters, ask for the whole year.
func (b Birth) Date(now time.Time) time.Time {
	year := now.Year()/100*100 + b.Year
	for range 8 { // two centuries do for all but 29 February, which needs four more when year 2100 has passed
		if d := time.Date(year, b.Month, b.Day, 0, 0, 0, 0, time.UTC); sameDay(year, b) && !d.After(now) {
			return d
		}
		year -= 100
	}
	return time.Time{}
}

// sameDay reports whether the year has that day; time.Date would make 1 March of 29 February.
func sameDay(year int, b Birth) bool {
	d := time.Date(year, b.Month, b.Day, 0, 0, 0, 0, time.UTC)
	return d.Month() == b.Month && d.Day() == b.Day
}
