// Package phone brings telephone numbers, as people type them, into E.164 form.
//
// Which digits make a number is a national matter, and changes: Italy keeps the zero in front of its fixed lines, Ecuador
// drops it, Spain never had one. The rules are those of libphonenumber.
package phone

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/civicpin/civicpin"
)

// The errors of [Parse]. They do not quote the number; both match civicpin.ErrInvalid.
var (
	// ErrFormat says that the text holds something that no telephone number holds, or is too long for one.
	ErrFormat = fmt.Errorf("phone: not written like a telephone number: %w", civicpin.ErrInvalid)
	// ErrNumber says that no country has such a number.
	ErrNumber = fmt.Errorf("phone: there is no such number: %w", civicpin.ErrInvalid)
)

// maxTyped bounds what is looked at, in bytes: "+", 15 digits, and plenty of blanks.
const maxTyped = 40

// A Number is a telephone number that may exist.
type Number struct {
	// E164 is the number with its country: "+393331234567". Citizens' contacts hold this form and no other.
	E164 string
	// Mobile reports whether a text message may reach it. Some countries' numbers do not tell; theirs count as mobile.
	Mobile bool
	// Region is the country by ISO 3166: "IT".
	Region string
}

// Contact returns the number as a contact for text messages. Check Mobile first.
func (n Number) Contact() civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.SMS, Address: n.E164}
}

// Parse reads a number as it was typed. One without a country is taken to be of the default region, "IT"; "00" in front
// of a country counts as "+". Blanks and ( ) . - / are passed over. The error is [ErrFormat] or [ErrNumber].
func Parse(typed, defaultRegion string) (Number, error) {
	s, err := clean(typed)
	if err != nil {
		return Number{}, err
	}
	parsed, err := phonenumbers.Parse(s, defaultRegion)
	if err != nil || !phonenumbers.IsValidNumber(parsed) {
		return Number{}, ErrNumber
	}
	kind := phonenumbers.GetNumberType(parsed)
	n := Number{
		E164:   phonenumbers.Format(parsed, phonenumbers.E164),
		Mobile: kind == phonenumbers.MOBILE || kind == phonenumbers.FIXED_LINE_OR_MOBILE,
		Region: phonenumbers.GetRegionCodeForNumber(parsed),
	}
	// No number in use today is too short for a contact; the rules of numbering change without us.
	if n.Contact().Validate() != nil {
		return Number{}, ErrNumber
	}
	return n, nil
}

// clean leaves digits and one leading "+". The library would also take letters for digits, as on a dial, digits of other
// scripts, and an extension after the number; a typed contact holds none of them, and what is taken in so many spellings
// is hard to show back.
func clean(typed string) (string, error) {
	if len(typed) > maxTyped {
		return "", ErrFormat
	}
	var b strings.Builder
	for _, r := range typed {
		switch {
		case '0' <= r && r <= '9', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case unicode.IsSpace(r), strings.ContainsRune("().-/", r):
		default:
			return "", ErrFormat
		}
	}
	if b.Len() == 0 {
		return "", ErrFormat
	}
	return b.String(), nil
}
