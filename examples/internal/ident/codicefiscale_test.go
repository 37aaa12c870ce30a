package ident_test

import (
	"testing"
	"time"

	"github.com/civicpin/civicpin/examples/internal/ident"
)

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
