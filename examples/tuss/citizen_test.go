package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
)

// TestPeople: everybody's number is in its normal form, and a birth date is what the page would take.
func TestPeople(t *testing.T) {
	all := people()
	if len(all) != 4 {
		t.Errorf("%d people", len(all))
	}
	for subject, c := range all {
		nif, err := ident.ParseNIF(string(subject))
		if err != nil || nif != c.nif || c.full == "" || c.source.Address == "" {
			t.Errorf("%q: %+v, %v", subject, c, err)
		}
		if born, err := readDate(typedDate(c.born)); err != nil || born != c.born {
			t.Errorf("%s was born on %q, %v", c.full, born, err)
		}
	}
}

// TestCheck: a date is right of one person, and of nobody who is not in the register.
func TestCheck(t *testing.T) {
	all := people()
	for _, c := range []struct {
		subject civicpin.Subject
		facts   map[string]string
		want    bool
	}{
		{"12345678Z", map[string]string{birthDate: "1979-05-23"}, true},
		{"12345678Z", map[string]string{birthDate: "1990-11-02"}, false},
		{"12345678Z", map[string]string{"birth-place": "1979-05-23"}, false},
		{"12345678Z", nil, false},
		{"99999999R", map[string]string{birthDate: "1979-05-23"}, false},
		{"99999999R", map[string]string{birthDate: ""}, false},
		{"99999999R", nil, false},
	} {
		if ok, err := all.Check(t.Context(), c.subject, c.facts); ok != c.want || err != nil {
			t.Errorf("%s, %v: %v, %v", c.subject, c.facts, ok, err)
		}
	}
}

func TestReadDate(t *testing.T) {
	for typed, want := range map[string]string{
		"23-5-1979": "1979-05-23", " 23/05/1979 ": "1979-05-23", "1.1.2000": "2000-01-01", "29 2 1964": "1964-02-29",
		"": "", "soon": "", "31-2-1979": "", "1979-05-23": "", "1-1-1899": "", strings.Repeat("1", 5000): "", "٢٣-5-1979": "",
	} {
		got, err := readDate(typed)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, noDate) {
			t.Errorf("%.20q: %q, %v", typed, got, err)
		}
	}
}

func TestReadContacts(t *testing.T) {
	for typed, want := range map[string]error{
		"612 345 678": nil, "+44 7400 123456": nil, "91 123 45 67": noMobile, "612": phone.ErrNumber, "mobile": phone.ErrFormat,
	} {
		if got, err := readMobile(typed); !errors.Is(err, want) || (err == nil) != strings.HasPrefix(got, "+") {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	for typed, want := range map[string]string{
		" Nuria@Example.es ": "nuria@example.es", "nuria": "", "núria@example.es": "", "a@b@c": "", "N <n@example.es>": "", "": "",
	} {
		if got, err := readEmail(typed); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
}

func TestNobody(t *testing.T) {
	for range 100 {
		subject := nobody()
		if nif, err := ident.ParseNIF(string(subject)); err != nil || string(nif) != string(subject) || people()[subject] != nil {
			t.Fatalf("%q: %v", subject, err)
		}
	}
}
