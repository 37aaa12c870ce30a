package main

import (
	"errors"
	"maps"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
)

func TestRegister(t *testing.T) {
	r := people()
	nobody := civicpin.Subject(r.nobody())
	for _, c := range []struct {
		subject    civicpin.Subject
		day, month string
		want       bool
	}{
		{civicpin.Subject(luciaID), "14", "3", true},
		{civicpin.Subject(luciaID), "14", "4", false},
		{civicpin.Subject(luciaID), "13", "3", false},
		{civicpin.Subject(luciaID), "3", "14", false},
		{civicpin.Subject(luciaID), "", "", false},
		{civicpin.Subject(diegoID), "2", "11", true},
		{civicpin.Subject(diegoID), "14", "3", false},
		{nobody, "14", "3", false},
		{nobody, "1", "1", false}, // the birthday of an entry that is empty
		{nobody, "", "", false},
		{camilaID, "14", "3", false},
	} {
		facts := map[string]string{"birth-day": c.day, "birth-month": c.month}
		if got, err := r.Check(t.Context(), c.subject, facts); got != c.want || err != nil {
			t.Errorf("%s, %v: %v, %v", c.subject, facts, got, err)
		}
	}
	for _, facts := range []map[string]string{nil, {}, {"birth-day": "14", "birth-year": "1985"}} {
		if got, _ := r.Check(t.Context(), civicpin.Subject(luciaID), facts); got {
			t.Errorf("%v is right", facts)
		}
	}
}

func TestReadBirthday(t *testing.T) {
	for typed, want := range map[string][2]string{
		"14/3": {"14", "3"}, "14/03": {"14", "3"}, " 2 - 11 ": {"2", "11"}, "29.2": {"29", "2"}, "1 1": {"1", "1"},
		"": {}, "14": {}, "14/3/1985": {}, "31/4": {}, "30/2": {}, "0/1": {}, "1/0": {}, "1/13": {}, "x/3": {},
		"14 marzo": {}, "-1/3": {"1", "3"},
	} {
		got, err := readBirthday(typed)
		if want == [2]string{} {
			if !errors.Is(err, noBirthday) || got != nil {
				t.Errorf("%q: %v, %v", typed, got, err)
			}
			continue
		}
		if !maps.Equal(got, map[string]string{"birth-day": want[0], "birth-month": want[1]}) || err != nil {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
	}
}

func TestNobody(t *testing.T) {
	r := people()
	seen := make(map[ident.Cedula]bool)
	for range 20 {
		id := r.nobody()
		if _, known := r[id]; known || len(id.Warnings()) > 0 {
			t.Errorf("%s: known %v, %v", id, known, id.Warnings())
		}
		seen[id] = true
	}
	if len(seen) < 15 {
		t.Errorf("only %d different ones", len(seen))
	}
}
