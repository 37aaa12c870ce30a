package otp

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// The defaults of a TOTPPolicy.
const (
	defaultBack     = 1
	defaultForward  = 1
	defaultMaxDrift = 2
)

// A TOTPPolicy says how time-based codes are made and which are accepted. Only Issuer is required.
//
// A code is accepted for longer than the 30 seconds in which it is shown: it takes time to type, and clocks differ. With the
// defaults it is accepted in its own period, the one before and the one after (RFC 6238 section 5.2 advises one for the delay).
// NIST SP 800-63B-4 3.1.4.2 allows that; OWASP ASVS 5.0 6.5.5, with its 30 seconds at most, does not. To conform to the letter
// of that, set Back, Forward and MaxDrift to None, and expect that subjects who type slowly try twice.
type TOTPPolicy struct {
	// Name names the service: services of one name over one vault share their keys. 1 to 40 ASCII letters, digits and "-_."; empty
	// means "totp". Never change it: the name is stored with every record.
	Name string
	// Issuer is the name that the app shows: 1 to 256 bytes without a colon. Required.
	Issuer string
	// Algorithm, Digits and Period are those of keys that Enrol makes. Zero means SHA1, 6 and 30 seconds, because several apps
	// ignore what a key says about them. Digits is at most 8; Period is in whole seconds, at most 2 minutes (NIST SP 800-63B-4
	// 3.1.4.1).
	Algorithm Algorithm
	Digits    int
	Period    time.Duration
	// Back and Forward are for how many periods a code is accepted after its own and before. Zero means 1 each, at most 10; None
	// means none. Drift is learnt only from accepted codes: with Forward None, a clock that is ahead is not learnt.
	Back, Forward int
	// MaxDrift is by how many periods a second window may lie elsewhere, for a clock that goes wrong slowly: around where the last
	// code was found (RFC 6238 section 6). The window around the right time stays open, so that one code that was typed late does
	// not shut it. Zero means 2, at most 100; None means no second window.
	MaxDrift int
	// PendingFor is how long an enrolled key waits for its first code. Zero means 1 hour; 1 minute to 30 days.
	PendingFor time.Duration
	// Lockout limits wrong codes. The zero Policy means that five lock for a minute, each further five for twice as long, up to a
	// day, and a hundred in a row disable the key (NIST SP 800-63B-4 3.2.2), ten each of which are for callers who have shown a
	// login and a known device (lockout.Policy.Reserve).
	Lockout lockout.Policy
	// Exceptions accept clauses, each with its reason: "guess budget" a GuessProbability above 1 in 1,000, now or with the fewer
	// digits of an imported key, and "SP 800-63B-4 3.1.4.1" imported seeds of less than 16 bytes.
	Exceptions []civicpin.Exception
}

// withDefaults returns the policy with its zero fields filled in.
func (c TOTPPolicy) withDefaults() TOTPPolicy {
	if c.Name == "" {
		c.Name = "totp"
	}
	if c.Period == 0 {
		c.Period = defaultPeriod
	}
	withCommonDefaults(&c.Algorithm, &c.Digits, &c.PendingFor, &c.Lockout)
	return c
}

// window returns how many periods back and forward codes are accepted, and how far off at most.
func (c *TOTPPolicy) window() (back, forward, drift int) {
	return orNone(c.Back, defaultBack), orNone(c.Forward, defaultForward), orNone(c.MaxDrift, defaultMaxDrift)
}

// common returns what HOTP has, too. c has its defaults.
func (c *TOTPPolicy) common() commonPolicy {
	back, forward, drift := c.window()
	width := back + forward + 1
	return commonPolicy{
		kind: "totp", name: c.Name, issuer: c.Issuer, algorithm: c.Algorithm, digits: c.Digits, period: c.Period,
		pending: c.PendingFor, lockout: c.Lockout, exceptions: c.Exceptions,
		accepted: width + min(width, drift) + width, // an active key with a clock that is off, and a pending one
	}
}

// GuessProbability returns the chance to guess a code before the ceiling of failures in a row disables the key. It takes the
// worst case: the greatest drift, and a pending key beside the active one. For the defaults it is 8 in 10,000, and 3 in 10,000
// for a clock that is right. The owner's own successes in between start the count again.
func (c TOTPPolicy) GuessProbability() float64 {
	c = c.withDefaults()
	return c.common().chance(c.Digits)
}

// Breaks lists the clauses that the policy breaks, with what breaks them, also those that Exceptions names. It breaks "guess
// budget" or none.
func (c TOTPPolicy) Breaks() []civicpin.Breach {
	c = c.withDefaults()
	return c.common().breaks(c.Digits)
}

// Validate returns nil, or an error that matches [ErrInvalidPolicy] and says what is wrong.
func (c TOTPPolicy) Validate() error {
	c = c.withDefaults()
	back, forward, drift := c.window()
	switch {
	case !validPeriod(c.Period):
		return badPolicy("Period is not whole seconds up to 2 minutes")
	case back < 0 || back > 10 || forward < 0 || forward > 10:
		return badPolicy("Back or Forward is not 0 to 10")
	case drift < 0 || drift > 100:
		return badPolicy("MaxDrift is not 0 to 100")
	}
	return c.common().validate()
}

// TOTP checks the codes of authenticator apps and of tokens with a clock (RFC 6238). Make one with [NewTOTP]. It is safe for
// concurrent use, and any number of them of one name, in any number of processes, over one store work on the same keys. The
// processes' clocks should agree within seconds.
type TOTP struct {
	*keys
	policy TOTPPolicy
}

// NewTOTP returns a TOTP. credentials, of which there is at most one, end keys by acts upon a subject's secret: see
// [Credentials]. Without them no act ends a key but those of this package. Errors match [ErrInvalidPolicy] if the policy is
// invalid; a nil vault is an error, too, and more than one of credentials.
//
// An undo of contacts ends the keys that were bound since only in a process that made this service: make it in each process
// that serves the links of package contact.
func NewTOTP(v *store.Vault, c TOTPPolicy, credentials ...Credentials) (*TOTP, error) {
	t := &TOTP{policy: c.withDefaults()}
	var err error
	if t.keys, err = newKeys(v, &t.policy, t.compare, credentials); err != nil {
		return nil, err
	}
	return t, nil
}

// Policy returns the policy with its defaults filled in; Back, Forward and MaxDrift stand as they were given.
func (t *TOTP) Policy() TOTPPolicy { return t.policy }

// compare looks for a code in the window around the server's time and in the one around where the last code was found.
func (t *TOTP) compare(ctx context.Context, b *boundKey, guess typedCode, now time.Time) found {
	back, forward, maxDrift := t.policy.window()
	key := b.oath()
	step := now.Unix() / b.Period
	around := func(drift int64) (uint64, attempt.Match) {
		// Counters are not negative. A clock before 1970 must not make them so, or it would open the last counters there are,
		// and with them close all others for good.
		from := max(0, step+drift-int64(back))
		return attempt.Code(ctx, &key, guess.number, uint64(from), back+forward+1, b.Next)
	}
	at, match := around(0)
	if maxDrift > 0 {
		// What was learnt under a configuration that bore more counts up to what this one does.
		there, m := around(bounded(b.Drift, maxDrift))
		if !match.Right() {
			at = there
		}
		match = match.Or(m)
	}
	if guess.digits != b.Digits {
		return found{}
	}
	return found{match: match, next: at + 1, drift: bounded(int64(at)-step, maxDrift)}
}

// bounded returns n, or the nearest number that is at most most away from zero.
func bounded(n int64, most int) int64 { return max(-int64(most), min(n, int64(most))) }
