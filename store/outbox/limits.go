package outbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
	"github.com/civicpin/civicpin/lockout"
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
	// Shown: a caller asked for it who has shown something: an authenticated citizen, an operator, a recovery behind its proof.
	Shown
	// Notice: it tells of an act that needed a proof. It is never held.
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

// Limits say how many messages are let through. A zero Rate means its default. Only Source refuses a request: by address and
// country a message waits for its turn, since only the address of a contact could be over its rate, and a refusal would tell
// that there is one.
type Limits struct {
	// Source is how many messages may be asked for from one source address. Default 60 in an hour.
	Source civicpin.Rate
	// Typed, Proved and Shown are how many messages of these classes one address gets, Shown for each subject apart. Default
	// 3, 40 and 10 in 24 hours.
	Typed, Proved, Shown civicpin.Rate
	// Home is how many messages of class Typed the telephones of the countries in HomePrefixes ("+593") get, each country
	// apart, and Abroad those of any other country. Default 2,000 and 100 in an hour. Without HomePrefixes all countries are
	// home.
	Home, Abroad civicpin.Rate
	HomePrefixes []string
}

// maxHeld is how many messages of one class wait for one address. What is beyond is given up.
const maxHeld = 64

// maxWaiting is how many messages wait for the telephones of one country.
const maxWaiting = 100_000

// maxHold is the longest that a message is held: more than maxHeld messages of the default class Typed wait.
const maxHold = 31 * 24 * time.Hour

// withDefaults returns a copy that is complete, or an error that matches civicpin.ErrInvalid.
func (l Limits) withDefaults() (Limits, error) {
	const day = 24 * time.Hour
	for _, f := range []struct {
		name     string
		rate     *civicpin.Rate
		standard civicpin.Rate
	}{
		{"Source", &l.Source, civicpin.Rate{Limit: 60, Window: time.Hour}},
		{"Typed", &l.Typed, civicpin.Rate{Limit: 3, Window: day}},
		{"Proved", &l.Proved, civicpin.Rate{Limit: 40, Window: day}},
		{"Shown", &l.Shown, civicpin.Rate{Limit: 10, Window: day}},
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

// limitOf returns a rate for package gcra.
func limitOf(r civicpin.Rate) gcra.Rate { return gcra.Rate{Limit: r.Limit, Window: r.Window} }

// Sends returns the counter of a service: so many messages may be asked for a subject, under a name of the service's. Those
// asked for from a source are counted over all services of the outbox, by Limits.Source. The error matches
// [lockout.ErrPolicy].
func (o *Outbox) Sends(name string, subject civicpin.Rate) (*lockout.Sends, error) {
	return lockout.NewSends(o.vault, name, subject, o.opts.Limits.Source)
}
