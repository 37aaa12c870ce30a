package otp

import (
	"fmt"
	"math"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/standard"
	"github.com/civicpin/civicpin/lockout"
)

// None, in a field of a policy whose zero value means a default, means zero.
const None = -1

const (
	// keyBudget is the greatest chance of guessing a code, before the key is disabled, that a configuration may leave unless
	// it names an exception: a hundred tries (NIST SP 800-63B-4 3.2.2) at six digits (3.1.4.1), ten of which are accepted. The
	// window is what codes of this kind cost: clocks and counters differ (RFC 4226 section 7.4, RFC 6238 section 5.2).
	keyBudget = 1e-3

	defaultPending = time.Hour
	minPending     = time.Minute
	maxPending     = 30 * 24 * time.Hour
)

// commonPolicy is what the policies of HOTP and TOTP have in common, with the defaults filled in.
type commonPolicy struct {
	kind      string // "totp" or "hotp"
	name      string
	issuer    string
	algorithm Algorithm
	digits    int
	period    time.Duration // zero for HOTP
	pending   time.Duration
	lockout   lockout.Policy
	accepted  int // the most codes that one try may be compared with

	exceptions []civicpin.Exception
}

// service is the name of the kind and the gate.
func (c commonPolicy) service() string { return c.kind + "." + c.name }

// withCommonDefaults fills in what has the same default for both.
func withCommonDefaults(algorithm *Algorithm, digits *int, pending *time.Duration, l *lockout.Policy) {
	if *algorithm == "" {
		*algorithm = defaultAlgorithm
	}
	if *digits == 0 {
		*digits = defaultDigits
	}
	if *pending == 0 {
		*pending = defaultPending
	}
	*l = orFive(*l)
}

// orFive returns a limit of wrong codes, the default for the zero Policy.
func orFive(p lockout.Policy) lockout.Policy {
	if p == (lockout.Policy{}) {
		return lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: 24 * time.Hour, Reserve: 10}.WithRates()
	}
	return p
}

// orNone returns n, the default for zero, and zero for None.
func orNone(n, byDefault int) int {
	switch n {
	case 0:
		return byDefault
	case None:
		return 0
	}
	return n
}

// chance is that of guessing a code of so many digits before the ceiling.
func (c commonPolicy) chance(digits int) float64 {
	tries := c.lockout.Ceiling
	if tries == 0 {
		tries = lockout.MaxCeiling
	}
	return min(1, float64(tries*c.accepted)/math.Pow10(digits))
}

func badPolicy(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidPolicy, fmt.Sprintf(format, args...))
}

// validate checks what is common to both.
func (c commonPolicy) validate() error {
	if !names.Valid(c.name, 40) {
		return badPolicy("Name is not 1 to 40 ASCII letters, digits and -_.")
	}
	if err := c.lockout.ValidateWithoutDevices(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	switch {
	case c.issuer == "" || !validLabel(c.issuer) || hasColon(c.issuer):
		return badPolicy("Issuer is not 1 to %d printable bytes without a colon", maxLabel)
	case c.algorithm.hash() == 0:
		return badPolicy("Algorithm is none of SHA1, SHA256, SHA512")
	case c.digits < oath.MinDigits || c.digits > oath.MaxDigits:
		return badPolicy("Digits is not %d to %d", oath.MinDigits, oath.MaxDigits)
	case c.pending < minPending || c.pending > maxPending:
		return badPolicy("PendingFor is not 1 minute to 30 days")
	}
	return c.checkChance(c.digits)
}

// breaks lists the clauses that codes of so many digits break.
func (c commonPolicy) breaks(digits int) []civicpin.Breach {
	if p := c.chance(digits); p > keyBudget {
		return []civicpin.Breach{guessable("Digits", digits, p, keyBudget)}
	}
	return nil
}

// checkChance refuses codes of so many digits if they can be guessed too easily. Keys that are imported later may need the
// exceptions.
func (c commonPolicy) checkChance(digits int) error {
	return checkClauses(c.breaks(digits), c.exceptions, standard.GuessBudget, standard.KeyBits)
}
