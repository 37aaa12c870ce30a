package outbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
)

// A Class says who caused a message, and how its address is known. Each class of an address has a limit of its own, so that
// none eats another's: a flood of requests does not hold back the notice of a theft.
type Class int

// The classes. The zero Class is Typed, which gets the fewest messages.
const (
	// Typed: any visitor asked for it, to an address that a visitor typed; or it tells of what strangers can cause.
	Typed Class = iota
	// Proved: any visitor asked for it, to an address that was proved for this subject.
	Proved
	// Shown: the caller proved who they are: by login, known device, an operator's id, or a step of a recovery.
	Shown
	// Notice: it tells of an act that needed a proof. Beyond Limits.Notice it waits for up to an hour and is merged; with a
	// link it is neither held nor merged.
	Notice
)

// String returns the name of the class, for the log.
func (c Class) String() string {
	switch c {
	case Proved:
		return "proved"
	case Shown:
		return "shown"
	case Notice:
		return "notice"
	}
	return "typed"
}

// Limits say how many messages are let through. A zero Rate means its default. Source, SourceTyped and Operator refuse a
// request, as do the rates of [Outbox.Limit]. Address and country never refuse one: a message waits for its turn, since a
// refusal would reveal a contact's address.
type Limits struct {
	// Source is how many messages may be asked for from one source address, and SourceTyped how many of class Typed among them.
	// Default 60 and 20 in an hour.
	Source, SourceTyped civicpin.Rate
	// Operator is how many messages one operator may ask for, from whatever address. Default 600 in an hour.
	Operator civicpin.Rate
	// Typed, Proved and Shown are how many messages of these classes one address gets, Shown for each subject apart. Default
	// 3, 40 and 60 in 24 hours; 60 is what the reserves let through. Subjects take turns.
	Typed, Proved, Shown civicpin.Rate
	// Notice is how many notices one address gets one by one. Default 20 in 24 hours. Beyond, a notice waits for up to an hour,
	// and those of one kind for one subject go as one meanwhile: its Params "more" says how many others there were. A notice
	// with a link is neither held nor merged.
	Notice civicpin.Rate
	// Home is how many messages of class Typed the telephones of the countries in HomePrefixes ("+593") get, each country
	// apart, and Abroad those of any other country. Default 2,000 and 100 in an hour. Without HomePrefixes all countries are
	// home.
	Home, Abroad civicpin.Rate
	HomePrefixes []string
}

// classes returns the limit of an address for each class, and the one of decoys.
func (l *Limits) classes() (of map[Class]destination.Class, decoys destination.Class) {
	of = map[Class]destination.Class{
		Typed:  {Rate: l.Typed},
		Proved: {Rate: l.Proved},
		Shown:  {Rate: l.Shown, PerSubject: true},
		Notice: {Rate: l.Notice, Merge: true},
	}
	for class, c := range of {
		c.Name = class.String()
		of[class] = c
	}
	// The same work. Each decoy has an address of its own, and is never held.
	return of, destination.Class{Name: "decoy", Rate: l.Proved}
}

// withDefaults returns a copy that is complete, or an error that matches civicpin.ErrInvalid.
func (l Limits) withDefaults() (Limits, error) {
	const day = 24 * time.Hour
	for _, f := range []struct {
		name     string
		rate     *civicpin.Rate
		standard civicpin.Rate
	}{
		{"Source", &l.Source, civicpin.Rate{Limit: 60, Window: time.Hour}},
		{"SourceTyped", &l.SourceTyped, civicpin.Rate{Limit: 20, Window: time.Hour}},
		{"Operator", &l.Operator, civicpin.Rate{Limit: 600, Window: time.Hour}},
		{"Notice", &l.Notice, civicpin.Rate{Limit: 20, Window: day}},
		{"Typed", &l.Typed, civicpin.Rate{Limit: 3, Window: day}},
		{"Proved", &l.Proved, civicpin.Rate{Limit: 40, Window: day}},
		{"Shown", &l.Shown, civicpin.Rate{Limit: 60, Window: day}},
		{"Home", &l.Home, civicpin.Rate{Limit: 2000, Window: time.Hour}},
		{"Abroad", &l.Abroad, civicpin.Rate{Limit: 100, Window: time.Hour}},
	} {
		if err := f.rate.Validate(); err != nil {
			return l, fmt.Errorf("outbox: Limits.%s: %w", f.name, err)
		}
		if *f.rate == (civicpin.Rate{}) {
			*f.rate = f.standard
		}
	}
	l.HomePrefixes = slices.Clone(l.HomePrefixes)
	for _, p := range l.HomePrefixes {
		if to := (civicpin.Contact{Channel: civicpin.SMS, Address: p + "00000000"}); p == "" || to.Prefix() != p {
			return l, fmt.Errorf("outbox: Limits.HomePrefixes: %w: %q is not the code of a country, like \"+593\"",
				civicpin.ErrInvalid, p)
		}
	}
	return l, nil
}
