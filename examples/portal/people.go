package main

import (
	"cmp"
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
	id     civicpin.Subject
	agency string // whose citizen a visitor plays
	known  string // the key of what the first page says that they know
	name   string
	born   string
	card   string // what is printed on the identity card
	street string
}

var citizens = []person{
	{mariaCF, "INPS", "", "Maria Rossi", "10-12-1985", "", ""},
	{luciaID, "IESS", "birth", "Lucía Andrade Vera", "14-03-1985", "", ""},
	{diegoID, "IESS", "birth", "Diego Mora Paz", "02-11-1971", "", ""},
	{anaNIF, "Cl@ve PIN", "card", "Ana García López", "10-12-1985", "09-05-2031", "Calle Mayor 1\n28013 Madrid"},
	{luisNIE, "Cl@ve PIN", "support", "Luis Ferreira Costa", "28-03-1972", "E12345678", "Calle Mayor 7, 3.º B\n28013 Madrid"},
	{nuriaNIF, "TUSS", "birth", "Nuria Vidal Soler", "23-05-1979", "", "Calle del Pez 4\n28004 Madrid"},
	{omarNIE, "TUSS", "birth", "Omar Haddad", "02-11-1990", "", "Calle del Pez 4, 2.º B\n28004 Madrid"},
}

// register is everybody by identifier.
type register map[civicpin.Subject]person

func people() register {
	all := make(register)
	for _, p := range citizens {
		all[p.id] = p
	}
	return all
}

// fact returns what is asked for by a name: a birth date is yyyy-mm-dd.
func (p person) fact(name string) string {
	born, _ := readDate(p.born)
	return map[string]string{
		agency.BirthDate: born.Format(time.DateOnly), "card": p.card,
		"birth-day": strconv.Itoa(born.Day()), "birth-month": strconv.Itoa(int(born.Month())),
	}[name]
}

// Check implements recovery.Register. An unknown subject costs the same look-up and comparisons; only the answer differs.
func (r register) Check(_ context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	known, right := r[subject]
	for name, given := range facts {
		right = civicpin.NewSecret(known.fact(name)).Equal(civicpin.NewSecret(given)) && right // in constant time
	}
	return right && len(facts) > 0, nil
}

// personal returns what may not be part of a secret of the subject's.
func (r register) personal(subject civicpin.Subject) []string {
	return []string{r[subject].name, r[subject].fact(agency.BirthDate)}
}

// demoRows are the people as the first page lists them, with what they know.
func demoRows(v *visit) [][]string {
	var rows [][]string
	for _, p := range citizens {
		known := "–"
		if p.known != "" {
			known = v.T("known."+p.known, cmp.Or(p.card, p.born))
		}
		rows = append(rows, []string{p.agency, p.name, string(p.id), known})
	}
	return rows
}

// dayFirst is how people write a date.
const dayFirst = "02-01-2006"

// readDate reads a date as people type it: 31-12-1980, 31/12/1980, 31.12.1980.
func readDate(typed string) (time.Time, bool) {
	if len(typed) > 32 {
		return time.Time{}, false
	}
	d, err := time.Parse("2-1-2006", strings.NewReplacer(" ", "-", "/", "-", ".", "-").Replace(strings.TrimSpace(typed)))
	return d, err == nil && d.Year() >= 1900
}
