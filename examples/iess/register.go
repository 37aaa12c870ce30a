package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/recovery"
)

// An entry is what the civil register knows of a person.
type entry struct {
	name string
	born time.Time
}

// facts are what the plans ask for, in the form in which readBirthday gives what was typed.
func (e entry) facts() map[string]string {
	return map[string]string{"birth-day": strconv.Itoa(e.born.Day()), "birth-month": strconv.Itoa(int(e.born.Month()))}
}

// A civilRegister is the country's file of people, as far as the story needs it.
type civilRegister map[ident.Cedula]entry

var _ recovery.Register = civilRegister(nil)

// people returns the register of this story.
func people() civilRegister {
	born := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	return civilRegister{
		luciaID: {"Lucía Andrade Vera", born(1985, time.March, 14)},
		diegoID: {"Diego Mora Paz", born(1971, time.November, 2)},
	}
}

// Check implements [recovery.Register]. An unknown subject costs the same look-up and the same comparisons:
// only the answer, which the library counts as a miss, differs.
func (r civilRegister) Check(_ context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	who, right := r[ident.Cedula(subject)]
	known := who.facts()
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		want, given := sha256.Sum256([]byte(known[name])), sha256.Sum256([]byte(facts[name]))
		right = subtle.ConstantTimeCompare(want[:], given[:]) == 1 && right
	}
	return right && len(facts) > 0, nil
}

const noBirthday = refusal("Day and month in numbers, please: 31/12.")

// readBirthday reads a day and a month as they were typed.
func readBirthday(typed string) (map[string]string, error) {
	fields := strings.FieldsFunc(typed, func(r rune) bool { return strings.ContainsRune("/-. ", r) })
	if len(fields) != 2 {
		return nil, noBirthday
	}
	d, err1 := strconv.Atoi(fields[0])
	m, err2 := strconv.Atoi(fields[1])
	// 2000 was a leap year: 29 February is a birthday.
	if err1 != nil || err2 != nil || m < 1 || m > 12 || time.Date(2000, time.Month(m), d, 0, 0, 0, 0, time.UTC).Day() != d {
		return nil, noBirthday
	}
	return map[string]string{"birth-day": strconv.Itoa(d), "birth-month": strconv.Itoa(m)}, nil
}

// nobody returns a cédula that is valid and unknown in this story.
func (r civilRegister) nobody() ident.Cedula {
	for {
		// One in ten has the right digit at its end.
		id, err := ident.ParseCedula(fmt.Sprintf("17%08d", rand.IntN(60_000_000)))
		if _, known := r[id]; err == nil && !known {
			return id
		}
	}
}
