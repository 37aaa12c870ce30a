package ident_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
)

// row is a typed text with the normal form that it has, or the problem.
type row struct {
	typed, normal string
	problem       ident.Problem
}

func check[T ~string](t *testing.T, parse func(string) (T, error), rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.typed, func(t *testing.T) {
			got, err := parse(r.typed)
			if string(got) != r.normal {
				t.Errorf("normal form %q, want %q", got, r.normal)
			}
			if r.problem == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			e, ok := errors.AsType[*ident.Error](err)
			if !ok || e.Problem != r.problem {
				t.Fatalf("error %v, want problem %q", err, r.problem)
			}
			if !errors.Is(err, civicpin.ErrInvalid) {
				t.Error("does not match civicpin.ErrInvalid")
			}
			if len(r.typed) > 3 && strings.Contains(err.Error(), strings.TrimSpace(r.typed)) {
				t.Errorf("the error quotes what was typed: %v", err)
			}
		})
	}
}

// fixedPoint fuzzes one parser: what it accepts is a normal form that it accepts unchanged and that can be a subject, and
// what it refuses has no form.
func fixedPoint[T ~string](f *testing.F, parse func(string) (T, error), seeds ...string) {
	for _, s := range append(seeds, "", " ", "-", "\xff", "١٢٣٤٥٦٧٨Z", strings.Repeat("0", 70)) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := parse(typed)
		if err != nil {
			if _, ok := errors.AsType[*ident.Error](err); !ok || got != "" {
				t.Fatalf("refused %q with %v and form %q", typed, err, got)
			}
			return
		}
		if again, err := parse(string(got)); again != got || err != nil {
			t.Fatalf("%q became %q, which became %q, %v", typed, got, again, err)
		}
		if err := civicpin.Subject(got).Validate(); err != nil {
			t.Fatalf("%q is no subject: %v", got, err)
		}
		// Case, blanks and separators around and within are forgiven, so each of these is the same subject.
		s := string(got)
		for _, other := range []string{strings.ToLower(s), " " + s[:2] + "-" + s[2:] + "\u00a0", s[:5] + ". /" + s[5:]} {
			if same, err := parse(other); same != got || err != nil {
				t.Fatalf("%q became %q, %v; want %q", other, same, err, got)
			}
		}
	})
}

func TestParseCedula(t *testing.T) {
	check(t, ident.ParseCedula, []row{
		{"1710034065", "1710034065", ""},
		{"1714307103", "1714307103", ""},
		{" 171430710-3 ", "1714307103", ""},
		{"9960000009", "9960000009", ""}, // unusual, and accepted
		{"1714307104", "", ident.CheckDigit},
		{"1714307130", "", ident.CheckDigit},
		{"171430710", "", ident.Length},
		{"1714307103001", "", ident.Length}, // a taxpayer's number
		{"", "", ident.Length},
		{"171430710A", "", ident.Shape},
		{"17143O7103", "", ident.Shape},
		{"171430710٣", "", ident.Character},
		{"1714307103é", "", ident.Character},
	})
}

func TestCedulaWarnings(t *testing.T) {
	for typed, want := range map[string][]ident.Problem{
		"1710034065": nil,
		"2400000002": nil,
		"3000000004": nil, // registered abroad
		"2500000001": {ident.Province},
		"0000000000": {ident.Province},
		"1760034064": {ident.ThirdDigit},
		"9960000009": {ident.Province, ident.ThirdDigit},
	} {
		c, err := ident.ParseCedula(typed)
		if err != nil {
			t.Fatalf("%s: %v", typed, err)
		}
		if got := c.Warnings(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c, got, want)
		}
	}
	if p := ident.Cedula("1714307103").Province(); p != 17 {
		t.Errorf("province %d, want 17", p)
	}
}

func FuzzParseCedula(f *testing.F) {
	fixedPoint(f, ident.ParseCedula, "1710034065", "1714307103", "9960000009", "0000000000")
}

func TestParseCodiceFiscale(t *testing.T) {
	check(t, ident.ParseCodiceFiscale, []row{
		{"RSSMRA85T10A562S", "RSSMRA85T10A562S", ""},
		{"RSSMRA80A01H501U", "RSSMRA80A01H501U", ""},
		{" rss mra 80a01-h501u\t", "RSSMRA80A01H501U", ""},
		{"BNCLRA92E55H501D", "BNCLRA92E55H501D", ""},
		{"RSSMRA85T10A56NH", "RSSMRA85T10A56NH", ""}, // omocodia, kept as written
		{"RSSMRAULTMLARSNF", "RSSMRAULTMLARSNF", ""}, // in all seven places
		{"00743110157", "00743110157", ""},
		{"12345670785", "12345670785", ""},
		{"00743110158", "", ident.CheckDigit},
		{"00000000000", "", ident.Shape},
		{"0074311015A", "", ident.Shape},
		{"RSSMRA85T10A562T", "", ident.CheckDigit},
		{"RSSMRA85T10A56NS", "", ident.CheckDigit}, // the letter is that of the code with its omocodia undone
		{"RSSMRA58T10A562S", "", ident.CheckDigit}, // two digits changed places
		{"RSSMRA85T10A562", "", ident.Length},
		{"RSSMRA85T10A562SS", "", ident.Length},
		{"", "", ident.Length},
		{"RSSMRA85I10A562S", "", ident.Shape},     // I is no month
		{"RSSMRAO5T10A562S", "", ident.Shape},     // O is no omocodia letter
		{"RSSMRA85T1٠A562S", "", ident.Character}, // an Arabic zero
		{"RSSMRA85T1０A562S", "", ident.Character}, // a full-width zero
		{"RſSMRA85T10A562S", "", ident.Character}, // long s, upper case S
		{"RSSMRA85T10A562S\x00", "", ident.Character},
		{"RSSMRA85T10A562S\xff", "", ident.Character},
		{"VRDGNN00B29F205Q", "VRDGNN00B29F205Q", ""}, // 2000 was a leap year
		{"VRDGNN01B29F205R", "", ident.Date},
		{"VRDGNN80A00F205N", "", ident.Date},
		{"VRDGNN80D31F205V", "", ident.Date},
		{"VRDGNN80A72F205Y", "", ident.Date}, // female, the 32nd
	})
}

func TestCodiceFiscaleBirth(t *testing.T) {
	now := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		code ident.CodiceFiscale
		date string
		sex  ident.Sex
	}{
		{"RSSMRA85T10A562S", "1985-12-10", ident.Male},
		{"RSSMRA80A01H501U", "1980-01-01", ident.Male},
		{"BNCLRA92E55H501D", "1992-05-15", ident.Female},
		{"BNCLRA92ERRH501K", "1992-05-15", ident.Female}, // omocodia undone to read the day
		{"RSSMRAULTMLARSNF", "1980-12-10", ident.Male},
		{"VRDGNN00B29F205Q", "2000-02-29", ident.Male},
	} {
		if _, err := ident.ParseCodiceFiscale(string(c.code)); err != nil {
			t.Fatalf("%s: %v", c.code, err)
		}
		b, ok := c.code.Birth()
		if got := b.Date(now).Format(time.DateOnly); !ok || got != c.date || b.Sex != c.sex {
			t.Errorf("%s: born %s, %s, %v; want %s, %s", c.code, got, b.Sex, ok, c.date, c.sex)
		}
	}
	if b, ok := ident.CodiceFiscale("00743110157").Birth(); ok || b != (ident.Birth{}) {
		t.Errorf("a provisional code tells a birth: %v", b)
	}
}

func TestBirthDateCentury(t *testing.T) {
	for _, c := range []struct {
		birth     ident.Birth
		now, want string
	}{
		{ident.Birth{Year: 26, Month: 3, Day: 9}, "2026-03-09", "2026-03-09"}, // born today
		{ident.Birth{Year: 26, Month: 3, Day: 10}, "2026-03-09", "1926-03-10"},
		{ident.Birth{Year: 99, Month: 12, Day: 31}, "2026-03-09", "1999-12-31"},
		{ident.Birth{Year: 0, Month: 2, Day: 29}, "2026-03-09", "2000-02-29"},
		{ident.Birth{Year: 0, Month: 2, Day: 29}, "2150-01-01", "2000-02-29"}, // 2100 has no such day
		{ident.Birth{Year: 4, Month: 2, Day: 29}, "2103-01-01", "2004-02-29"},
	} {
		now, _ := time.Parse(time.DateOnly, c.now)
		if got := c.birth.Date(now).Format(time.DateOnly); got != c.want {
			t.Errorf("%+v at %s: %s, want %s", c.birth, c.now, got, c.want)
		}
	}
}

// TestCodiceFiscaleCheckLetter pins the weight of each character in an odd and in an even place.
func TestCodiceFiscaleCheckLetter(t *testing.T) {
	for _, c := range []struct{ before, characters, after, letters string }{
		{"", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "SSMRA85T10A562", "LKPRTXZBDFMOCEVNQSWYAUGJIH"},
		{"R", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "SMRA85T10A562", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		{"RSSMRA85T10A", "0123456789LMNPQRSTUV", "62", "GFKMOSUWYAJXZILNRTVP"},
		{"RSSMRA85T10A5", "0123456789LMNPQRSTUV", "2", "MNOPQRSTUVXYZBCDEFGH"},
	} {
		for i, r := range c.characters {
			code := c.before + string(r) + c.after + c.letters[i:i+1]
			if _, err := ident.ParseCodiceFiscale(code); err != nil {
				t.Errorf("%s: %v", code, err)
			}
		}
	}
}

// TestCodiceFiscaleTypos types each code with one character replaced by each other one of its kind: none passes.
func TestCodiceFiscaleTypos(t *testing.T) {
	for _, code := range []string{"RSSMRA85T10A562S", "BNCLRA92E55H501D", "00743110157"} {
		for i := range code {
			for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
				typo := code[:i] + string(c) + code[i+1:]
				sameKind := (c >= 'A') == (code[i] >= 'A')
				if got, err := ident.ParseCodiceFiscale(typo); sameKind && typo != code && err == nil {
					t.Errorf("%s passes for %s", got, code)
				}
			}
		}
	}
}

func FuzzParseCodiceFiscale(f *testing.F) {
	fixedPoint(f, ident.ParseCodiceFiscale, "RSSMRA85T10A562S", "rss mra 85t10-a562s", "RSSMRAULTMLARSNF", "00743110157",
		"VRDGNN00B29F205Q", "VRDGNN01B29F205R")
}

func FuzzCodiceFiscaleBirth(f *testing.F) {
	f.Add("RSSMRA85T10A562S", int64(1_773_000_000))
	f.Add("VRDGNN00B29F205Q", int64(5_000_000_000))
	f.Fuzz(func(t *testing.T, typed string, unix int64) {
		c, err := ident.ParseCodiceFiscale(typed)
		now := time.Unix(unix%10_000_000_000, 0).UTC()
		if err != nil || now.Year() < 1800 {
			return
		}
		b, ok := c.Birth()
		if ok == c.Provisional() {
			t.Fatalf("%s: birth read: %v", c, ok)
		}
		if d := b.Date(now); ok && (d.After(now) || d.Month() != b.Month || d.Day() != b.Day || d.Year()%100 != b.Year) {
			t.Fatalf("%s at %s: born %s, %+v", c, now, d, b)
		}
	})
}

func TestParseNIF(t *testing.T) {
	check(t, ident.ParseNIF, []row{
		{"12345678Z", "12345678Z", ""},
		{"00000000T", "00000000T", ""},
		{"99999999R", "99999999R", ""},
		{"X1234567L", "X1234567L", ""},
		{"Y1234567X", "Y1234567X", ""},
		{"Z1234567R", "Z1234567R", ""},
		{"K1234567L", "K1234567L", ""},
		{"L1234567L", "L1234567L", ""},
		{"M1234567L", "M1234567L", ""},
		{"12.345.678-z", "12345678Z", ""},
		{" x-1234567-l ", "X1234567L", ""},
		{"1234567L", "01234567L", ""},
		{"1r", "00000001R", ""},
		{"12345678A", "", ident.CheckDigit},
		{"12345687Z", "", ident.CheckDigit},
		{"Y1234567L", "", ident.CheckDigit},
		{"12345678I", "", ident.CheckDigit},
		{"123456789", "", ident.Shape},
		{"12345678", "", ident.Shape}, // the letter is missing
		{"1234A678Z", "", ident.Shape},
		{"A1234567L", "", ident.Shape}, // a company's
		{"X123456L", "", ident.Length},
		{"X12345678L", "", ident.Length},
		{"Z", "", ident.Length},
		{"", "", ident.Length},
		{strings.Repeat(" ", 55) + "12345678Z", "12345678Z", ""},
		{strings.Repeat(" ", 56) + "12345678Z", "", ident.Length}, // nobody types that much; not looked at
		{"12345678Ž", "", ident.Character},
		{"1234567８Z", "", ident.Character},
		{"１２３４５６７８Z", "", ident.Character},
	})
}

func TestNIFKind(t *testing.T) {
	for n, want := range map[ident.NIF]ident.NIFKind{
		"12345678Z": ident.DNI, "X1234567L": ident.NIE, "Y1234567X": ident.NIE, "Z1234567R": ident.NIE,
		"K1234567L": ident.Special, "L1234567L": ident.Special, "M1234567L": ident.Special,
	} {
		if got := n.Kind(); got != want {
			t.Errorf("%s is %s, want %s", n, got, want)
		}
	}
}

func FuzzParseNIF(f *testing.F) {
	fixedPoint(f, ident.ParseNIF, "12345678Z", "1r", "x-1234567-l", "Y1234567X", "Z1234567R", "K1234567L", "XXXXXXXXX", "ZZ")
}
