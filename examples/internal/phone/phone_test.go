package phone_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/phone"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		typed, region string
		want          phone.Number
		err           error
	}{
		// Spain: nine digits, mobiles begin with 6 or 7.
		{"612 34 56 78", "ES", phone.Number{"+34612345678", true, "ES"}, nil},
		{"712345678", "ES", phone.Number{"+34712345678", true, "ES"}, nil},
		{"+34 612-345-678", "IT", phone.Number{"+34612345678", true, "ES"}, nil},
		{"0034 612345678", "ES", phone.Number{"+34612345678", true, "ES"}, nil},
		{"912 345 678", "ES", phone.Number{"+34912345678", false, "ES"}, nil},
		{"61234567", "ES", phone.Number{}, phone.ErrNumber},
		{"6123456789", "ES", phone.Number{}, phone.ErrNumber},

		// Ecuador: a trunk 0 that is dropped.
		{"099 123 4567", "EC", phone.Number{"+593991234567", true, "EC"}, nil},
		{"0991234567", "EC", phone.Number{"+593991234567", true, "EC"}, nil},
		{"+593 99 123 4567", "EC", phone.Number{"+593991234567", true, "EC"}, nil},
		{"+593 (0)99 123 4567", "EC", phone.Number{"+593991234567", true, "EC"}, nil},
		{"00593 99 123 4567", "EC", phone.Number{"+593991234567", true, "EC"}, nil},
		{"02 223 4567", "EC", phone.Number{"+59322234567", false, "EC"}, nil},
		{"099 123 456", "EC", phone.Number{}, phone.ErrNumber},

		// Italy: fixed lines keep their 0, mobiles have none and begin with 3.
		{"333 1234567", "IT", phone.Number{"+393331234567", true, "IT"}, nil},
		{"(333) 123.45/67", "IT", phone.Number{"+393331234567", true, "IT"}, nil},
		{"06 5905 1234", "IT", phone.Number{"+390659051234", false, "IT"}, nil},
		{"+39 06 5905 1234", "EC", phone.Number{"+390659051234", false, "IT"}, nil},
		{"0039 06 5905 1234", "IT", phone.Number{"+390659051234", false, "IT"}, nil},
		{"+39 6 5905 1234", "IT", phone.Number{}, phone.ErrNumber}, // the 0 left out
		{"0333 1234567", "IT", phone.Number{}, phone.ErrNumber},    // a 0 that is not part of it
		{"06 6982 1234", "IT", phone.Number{"+390669821234", false, "VA"}, nil},

		{"\u00a0333 1234567\t", "IT", phone.Number{"+393331234567", true, "IT"}, nil},
		{"+1 202 555 0143", "IT", phone.Number{"+12025550143", true, "US"}, nil}, // does not tell

		{"", "IT", phone.Number{}, phone.ErrFormat},
		{" - ", "IT", phone.Number{}, phone.ErrFormat},
		{"+", "IT", phone.Number{}, phone.ErrNumber},
		{"3331234567", "", phone.Number{}, phone.ErrNumber},
		{"3331234567", "XX", phone.Number{}, phone.ErrNumber},
		{"333 1234567 ext 5", "IT", phone.Number{}, phone.ErrFormat},
		{"333 1234567;ext=5", "IT", phone.Number{}, phone.ErrFormat},
		{"333 CITOFONO", "IT", phone.Number{}, phone.ErrFormat},
		{"３３３1234567", "IT", phone.Number{}, phone.ErrFormat},
		{"٣٣٣1234567", "IT", phone.Number{}, phone.ErrFormat},
		{"333+1234567", "IT", phone.Number{}, phone.ErrFormat},
		{"++393331234567", "IT", phone.Number{}, phone.ErrFormat},
		{"3331234567\x00", "IT", phone.Number{}, phone.ErrFormat},
		{"333" + strings.Repeat(" ", 31) + "1234567", "IT", phone.Number{}, phone.ErrFormat},
	} {
		got, err := phone.Parse(c.typed, c.region)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Parse(%q, %s) = %+v, %v; want %+v, %v", c.typed, c.region, got, err, c.want, c.err)
		}
		if err != nil && !errors.Is(err, civicpin.ErrInvalid) {
			t.Errorf("Parse(%q, %s): %v does not match civicpin.ErrInvalid", c.typed, c.region, err)
		}
	}
}

// TestParseEverywhere takes an example of each country's mobiles, as they are written at home and abroad.
func TestParseEverywhere(t *testing.T) {
	seen := 0
	for region := range phonenumbers.GetSupportedRegions() {
		example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if example == nil {
			continue
		}
		seen++
		want := phonenumbers.Format(example, phonenumbers.E164)
		for _, form := range []phonenumbers.PhoneNumberFormat{
			phonenumbers.E164, phonenumbers.INTERNATIONAL, phonenumbers.NATIONAL,
		} {
			typed := phonenumbers.Format(example, form)
			if region == "AR" && form == phonenumbers.NATIONAL {
				continue // libphonenumber does not read what it writes for Argentina's mobiles
			}
			n, err := phone.Parse(typed, region)
			if err != nil || n.E164 != want || !n.Mobile {
				t.Errorf("%s: %q became %+v, %v; want %s", region, typed, n, err, want)
			}
		}
	}
	if seen < 200 {
		t.Errorf("only %d countries have an example", seen)
	}
}

func FuzzParse(f *testing.F) {
	for _, region := range []string{"ES", "EC", "IT", ""} {
		for _, typed := range []string{"612345678", "0991234567", "06 5905 1234", "+390659051234", "00593991234567", "+", "112"} {
			f.Add(typed, region)
		}
	}
	f.Fuzz(func(t *testing.T, typed, region string) {
		n, err := phone.Parse(typed, region)
		if err != nil {
			if n != (phone.Number{}) {
				t.Fatalf("refused %q, and returned %+v", typed, n)
			}
			return
		}
		if err := n.Contact().Validate(); err != nil {
			t.Fatalf("%q became %q: %v", typed, n.E164, err)
		}
		// With its country, a number is the same wherever it is typed.
		for _, other := range []string{region, "IT", "EC", "ES", ""} {
			if again, err := phone.Parse(n.E164, other); again != n || err != nil {
				t.Fatalf("%q in %q became %+v, which in %q became %+v, %v", typed, region, n, other, again, err)
			}
		}
	})
}
