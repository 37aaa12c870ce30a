package choice

import (
	"strings"
	"time"
)

// dateLayouts are the ways to write a date in so many digits: d day, m month, y year. Two-digit months with two-digit
// years in four digits are left out: they would refuse a quarter of all PINs of four digits.
func dateLayouts(digits int) []string {
	switch digits {
	case 4:
		return []string{"ddmm", "mmdd", "yyyy"}
	case 5:
		return []string{"myyyy", "yyyym"}
	case 6:
		return []string{"ddmmyy", "mmddyy", "yymmdd", "mmyyyy", "yyyymm", "dmyyyy"}
	case 7:
		return []string{"dmmyyyy", "ddmyyyy", "mmdyyyy", "mddyyyy"}
	case 8:
		return []string{"ddmmyyyy", "mmddyyyy", "yyyymmdd", "yyyyddmm"}
	}
	return nil
}

// date reports whether a folded secret is a date in digits, with or without two separators. Years of four digits count
// from 1900 to 2099, years of two always.
func date(folded string) bool {
	digits := strings.Join(strings.FieldsFunc(folded, func(c rune) bool { return strings.ContainsRune("/.- ", c) }), "")
	if separators := len(folded) - len(digits); separators != 0 && separators != 2 {
		return false
	}
	if strings.Trim(digits, "0123456789") != "" {
		return false
	}
	for _, layout := range dateLayouts(len(digits)) {
		if dated(digits, layout) {
			return true
		}
	}
	return false
}

// dated reports whether the digits are a date in the layout.
func dated(digits, layout string) bool {
	day, month, year, wide := 0, 0, 0, 0
	for i := range len(layout) {
		n := int(digits[i] - '0')
		switch layout[i] {
		case 'd':
			day = day*10 + n
		case 'm':
			month = month*10 + n
		case 'y':
			year, wide = year*10+n, wide+1
		}
	}
	if wide == 4 && (year < 1900 || year > 2099) {
		return false
	}
	hasMonth, hasDay := strings.Contains(layout, "m"), strings.Contains(layout, "d")
	if hasMonth && (month < 1 || month > 12) {
		return false
	}
	// A leap year, so that the 29th of February counts whatever the year is.
	return !hasDay || (day >= 1 && day <= time.Date(2000, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day())
}
