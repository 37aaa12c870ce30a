package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
)

// The people of the demonstration, by their identifiers.
const (
	mariaCF  = "RSSMRA85T50A562W"
	luciaID  = "1710034065"
	diegoID  = "1714307103"
	anaNIF   = "12345678Z"
	luisNIE  = "X1234567L"
	nuriaNIF = "23456789D"
	omarNIE  = "Y1234567X"
)

// A person is an entry of the agencies' registers. The library knows nothing of it but what Check answers.
type person struct {
	name, street string
	facts        map[string]string // birth-day and birth-month, birth-date, and card: what is printed on the identity card
}

// register is everybody by identifier.
type register map[civicpin.Subject]person

func people() register {
	born := func(date string) map[string]string {
		d, err := time.Parse(time.DateOnly, date)
		if err != nil {
			panic(err) // a constant below
		}
		return map[string]string{
			agency.BirthDate: date, "birth-day": strconv.Itoa(d.Day()), "birth-month": strconv.Itoa(int(d.Month())),
		}
	}
	card := func(date, printed string) map[string]string {
		facts := born(date)
		facts["card"] = printed
		return facts
	}
	return register{
		mariaCF:  {name: "Maria Rossi", facts: born("1985-12-10")},
		luciaID:  {name: "Lucía Andrade Vera", facts: born("1985-03-14")},
		diegoID:  {name: "Diego Mora Paz", facts: born("1971-11-02")},
		anaNIF:   {name: "Ana García López", facts: card("1985-12-10", "2031-05-09"), street: "Calle Mayor 1\n28013 Madrid"},
		luisNIE:  {name: "Luis Ferreira Costa", facts: card("1972-03-28", "E12345678"), street: "Calle Mayor 7, 3.º B\n28013 Madrid"},
		nuriaNIF: {name: "Nuria Vidal Soler", facts: born("1979-05-23"), street: "Calle del Pez 4\n28004 Madrid"},
		omarNIE:  {name: "Omar Haddad", facts: born("1990-11-02"), street: "Calle del Pez 4, 2.º B\n28004 Madrid"},
	}
}

// Check implements recovery.Register. An unknown subject costs the same look-up and comparisons; only the answer differs.
func (r register) Check(_ context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	known, right := r[subject]
	for name, given := range facts {
		right = civicpin.NewSecret(known.facts[name]).Equal(civicpin.NewSecret(given)) && right // in constant time
	}
	return right && len(facts) > 0, nil
}

// personal returns what may not be part of a secret of the subject's.
func (r register) personal(subject civicpin.Subject) []string {
	return []string{r[subject].name, r[subject].facts[agency.BirthDate]}
}

// demoRows are the people as the first page lists them, with what they know.
func demoRows(v *visit) [][]string {
	var rows [][]string
	for _, row := range [][4]string{
		{"INPS", mariaCF, "", ""},
		{"IESS", luciaID, "birth", ""},
		{"IESS", diegoID, "birth", ""},
		{"Cl@ve PIN", anaNIF, "", "card"},
		{"Cl@ve PIN", luisNIE, "", "support"},
		{"TUSS", nuriaNIF, "birth", ""},
		{"TUSS", omarNIE, "birth", ""},
	} {
		who := people()[civicpin.Subject(row[1])]
		known := "–"
		switch {
		case row[2] != "":
			known = v.T("known.birth", dayFirst(who.facts[agency.BirthDate]))
		case row[3] != "":
			known = v.T("known."+row[3], dayFirst(who.facts["card"]))
		}
		rows = append(rows, []string{row[0], who.name, row[1], known})
	}
	return rows
}

// dayFirst writes a date as people type it, and anything else as it is.
func dayFirst(date string) string {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return d.Format("02-01-2006")
}

// readDate reads a date as people type it: 31-12-1980, 31/12/1980, 31.12.1980.
func readDate(typed string) (time.Time, bool) {
	if len(typed) > 32 {
		return time.Time{}, false
	}
	d, err := time.Parse("2-1-2006", strings.NewReplacer(" ", "-", "/", "-", ".", "-").Replace(strings.TrimSpace(typed)))
	return d, err == nil && d.Year() >= 1900
}
