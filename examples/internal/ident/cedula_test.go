package ident_test

import (
	"slices"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/ident"
)

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
