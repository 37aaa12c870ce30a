package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin/examples/internal/ident"
)

func TestRegister(t *testing.T) {
	people, err := readRegister(registerFile)
	if err != nil {
		t.Fatal(err)
	}
	for nif, want := range map[ident.NIF]struct {
		first string
		data  cardData
	}{
		"12345678Z": {"Ana", "2031-05-09"},
		"X1234567L": {"Luis", "E12345678"},
		"34567890V": {"Pedro", "2019-02-05"}, // for ever, so the day of issue counts
	} {
		if p := people[nif]; p.NIF != nif || p.first() != want.first ||
			p.data() != want.data || string(p.subject()) != string(nif) {
			t.Errorf("%s: %+v", nif, p)
		}
	}
	for number, nif := range numbers {
		if n, err := readMobile(number); err != nil || n != number || people[nif].NIF != nif {
			t.Errorf("%s of %s: %s, %v", number, nif, n, err)
		}
	}
	const ana = `{"nif": "12345678Z", "name": "Ana", "born": "1985-12-10", "expires": "2031-05-09"}`
	if all, err := readRegister([]byte("[" + ana + "]")); err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, bad := range []string{
		"", "{}", "[" + ana, "[" + ana + "," + ana + "]",
		strings.Replace("["+ana+"]", "78Z", "78A", 1),
		strings.Replace("["+ana+"]", `"12345678Z"`, `"12345678z"`, 1),
		strings.Replace("["+ana+"]", `"Ana"`, `""`, 1),
		strings.Replace("["+ana+"]", "12-10", "12-32", 1),
		strings.Replace("["+ana+"]", "05-09", "9", 1),
		strings.Replace("["+ana+"]", "expires", "until", 1),
		strings.Replace("["+ana+"]", "expires", "born", 1),
		strings.Replace("["+ana+"]", `"expires": "2031-05-09"`, `"support": "E12345678"`, 1), // a DNI has none
		strings.Replace("["+ana+"]", "12345678Z", "X1234567L", 1),                            // and a NIE has one
		strings.Replace("["+ana+"]", "}", `, "issued": "2021-05-09"}`, 1),
	} {
		if all, err := readRegister([]byte(bad)); err == nil || all != nil {
			t.Errorf("%s: %v, %v", bad, all, err)
		}
	}
}

func TestReadCardData(t *testing.T) {
	for _, c := range []struct {
		kind  ident.NIFKind
		typed string
		want  cardData
		err   error
	}{
		{ident.DNI, "9-5-2031", "2031-05-09", nil},
		{ident.DNI, " 09/05/2031 ", "2031-05-09", nil},
		{ident.DNI, "09.05.2031", "2031-05-09", nil},
		{ident.DNI, "9 5 2031", "2031-05-09", nil},
		{ident.Special, "29-2-2028", "2028-02-29", nil},
		{ident.NIE, "E12345678", "E12345678", nil},
		{ident.NIE, " e-1234 5678 ", "E12345678", nil},

		{ident.DNI, "", "", noDate},
		{ident.DNI, "29-2-2027", "", noDate},
		{ident.DNI, "2031-05-09", "", noDate},
		{ident.DNI, "5/31/2031", "", noDate},
		{ident.DNI, "9-5-31", "", noDate},
		{ident.DNI, "9-5-0031", "", noDate},
		{ident.DNI, "E12345678", "", noDate},
		{ident.DNI, "9-5-2031" + strings.Repeat(" ", 99), "", noDate},
		{ident.NIE, "", "", noSupport},
		{ident.NIE, "9-5-2031", "", noSupport},
		{ident.NIE, "E1234567", "", noSupport},
		{ident.NIE, "E123456789", "", noSupport},
		{ident.NIE, "E1234567é", "", noSupport},
		{ident.NIE, "F12345678", "", noSupport},
	} {
		got, err := readCardData(c.kind, c.typed)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %q: %q, %v; want %q, %v", c.kind, c.typed, got, err, c.want, c.err)
		}
	}
}

// FuzzReadCardData: what is taken is in the form in which it is compared, and is itself typed so for a support number.
func FuzzReadCardData(f *testing.F) {
	f.Add("9-5-2031")
	f.Add("E12345678")
	f.Fuzz(func(t *testing.T, typed string) {
		if d, err := readCardData(ident.DNI, typed); err == nil {
			if day, err := time.Parse(time.DateOnly, string(d)); err != nil || day.Year() < 1900 {
				t.Errorf("%q: %q", typed, d)
			}
		} else if d != "" {
			t.Error("data and an error")
		}
		if d, err := readCardData(ident.NIE, typed); err == nil {
			if again, err := readCardData(ident.NIE, string(d)); err != nil || again != d {
				t.Errorf("%q: %q, then %q", typed, d, again)
			}
		} else if d != "" {
			t.Error("data and an error")
		}
	})
}
