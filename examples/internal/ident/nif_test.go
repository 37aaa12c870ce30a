package ident_test

import (
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/ident"
)

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
