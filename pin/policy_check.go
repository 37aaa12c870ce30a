package pin

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/policyjson"
	"github.com/civicpin/civicpin/internal/standard"
	"github.com/civicpin/civicpin/lockout"
)

// The lengths of a chosen secret that NIST SP 800-63B-4 3.1.1.2 asks for.
const (
	leastMin = 15
	leastMax = 64
)

// GuessProbability returns the chances to guess the issued and the chosen secret before the ceiling of failures in a row
// disables the credential.
//
// For the issued secret, the attacker is taken to hold all parts but one. A chosen secret is credited with half the bits of a
// random one of its least length: chosen PINs of six digits are no better than four random ones against a hundred guesses
// (arXiv 2003.04868). The owner's own successes in between start the count again. Known devices change nothing: their lanes and
// the open one share the ceiling.
func (p Policy) GuessProbability() (issued, chosen float64) {
	tries := p.Lockout.Ceiling
	if tries == 0 {
		tries = lockout.MaxCeiling
	}
	chance := func(bits float64) float64 { return min(1, float64(tries)*math.Pow(2, -bits)) }
	return chance(code.Alphabet(p.Alphabet).Bits(p.Length)), chance(choice.GuessBits(p.Chosen.Form.rules(), p.Chosen.Min))
}

// Breaks lists the clauses that the policy breaks, with what breaks them, also those that Exceptions names. The clauses are:
//   - "SP 800-63B-4 3.1.1.2(1)": Chosen.Min is below 15.
//   - "SP 800-63B-4 3.1.1.2(2)", a SHOULD that is held like a SHALL: Chosen.Max is below 64.
//   - "SP 800-63B-4 3.1.1.2(6)": MaxAge is set.
//   - "SP 800-63A-4 3.8": Valid is more than 24 hours by e-mail, or 10 minutes by a channel that is not printed.
//   - "guess budget": a [Policy.GuessProbability] is above [lockout.Budget].
//   - "typed contacts": Requests.Typed is set.
func (p Policy) Breaks() []civicpin.Breach {
	var list []civicpin.Breach
	add := func(clause, field, value, set string) {
		list = append(list, civicpin.Breach{Clause: clause, Field: field, Value: value, Set: set})
	}
	if p.Chosen.Min < leastMin {
		add(standard.LeastMin, "Chosen.Min", strconv.Itoa(p.Chosen.Min), "at least 15")
	}
	if p.Chosen.Max < leastMax {
		add(standard.LeastMax, "Chosen.Max", strconv.Itoa(p.Chosen.Max), "at least 64")
	}
	if p.MaxAge > 0 {
		add(standard.NoPeriod, "MaxAge", policyjson.Duration(p.MaxAge), "no MaxAge")
	}
	for _, c := range slices.Sorted(maps.Keys(p.Valid)) {
		if d, most := p.Valid[c], mostValid(c); d > most {
			add(standard.CodeValid, fmt.Sprintf("Valid[%q]", c), policyjson.Duration(d), "at most "+policyjson.Duration(most))
		}
	}
	likely := func(field string, length int, chance float64) {
		if chance > lockout.Budget {
			add(standard.GuessBudget, field, fmt.Sprintf("%d, a chance of %.1e to guess it", length, chance),
				fmt.Sprintf("what leaves at most %.0e", lockout.Budget))
		}
	}
	issued, chosen := p.GuessProbability()
	likely("Length", p.Length, issued)
	likely("Chosen.Min", p.Chosen.Min, chosen)
	if p.Requests.Typed {
		add(standard.TypedContacts, "Requests.Typed", "true", "false")
	}
	return list
}

// mostValid is how long a code by the channel may be valid (NIST SP 800-63A-4 3.8). A channel of the caller's own is treated as
// a telephone, the strictest. 3.8 names no slips.
func mostValid(c civicpin.Channel) time.Duration {
	switch {
	case c.Printed():
		return 30 * day
	case c.Mail():
		return day
	}
	return 10 * time.Minute
}

// Validate returns nil, or an error that matches [ErrInvalidPolicy] and says what is wrong. A clause that is broken without an
// exception is a [civicpin.Breach] in it.
func (p Policy) Validate() error {
	p = p.withDefaults()
	if !names.Valid(p.Name, 40) {
		return bad("Name is not 1 to 40 ASCII letters, digits and -_.")
	}
	alphabet := code.Alphabet(p.Alphabet)
	hashing := password.ValidateInUse(p.costs()...)
	if err := cmp.Or(p.Lockout.Validate(), p.Sends.Validate(), alphabet.Validate(), hashing); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	if err := cmp.Or(p.validateIssued(), p.validateChosen()); err != nil {
		return err
	}
	if p.Hashing.Permits < 0 || p.Hashing.Wait < 0 {
		return bad("Hashing.Permits or Wait is negative")
	}
	channels := slices.Sorted(maps.Keys(p.Valid))
	if err := cmp.Or(
		standard.CheckChannels("Valid", channels, p.OwnChannels), standard.Check(p.Breaks(), p.Exceptions),
	); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	return nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidPolicy, fmt.Sprintf(format, args...))
}

// validateIssued checks what is issued, and what proves the subject's identity.
func (p Policy) validateIssued() error {
	if p.Parts < 1 || p.Parts > 8 || p.Length < 4 || p.Length > 32 {
		return bad("Parts is not 1 to 8, or Length not 4 to 32")
	}
	if len(p.Valid) == 0 || len(p.Valid) > 32 {
		return bad("Valid lists no channel, or more than 32")
	}
	for c, d := range p.Valid {
		if c == "" || d < time.Minute || d > 30*day {
			return bad("Valid for %q is not 1 minute to 30 days", c)
		}
	}
	for m, l := range p.Levels {
		if m == "" || l < civicpin.Low || l > civicpin.High {
			return bad("Levels for %q is not a level", m)
		}
	}
	return nil
}

// validateChosen checks what is chosen, and for how long.
func (p Policy) validateChosen() error {
	if err := p.rules().Validate(); err != nil {
		return fmt.Errorf("%w: Chosen: %w", ErrInvalidPolicy, err)
	}
	switch {
	case p.Chosen.Form == Password && p.Chosen.Min < 8:
		return bad("Chosen.Min is below 8 for a password (NIST SP 800-63B-4 3.1.1.2)")
	case p.MaxAge < 0 || p.MaxAge > 0 && p.MaxAge < day:
		return bad("MaxAge is under a day")
	case p.MaxUnused < 0 || p.MaxUnused > 0 && p.MaxUnused < 2*usedEvery:
		return bad("MaxUnused is under two days")
	case p.History < 0 || p.History > 10:
		return bad("History is not 0 to 10")
	}
	return nil
}
