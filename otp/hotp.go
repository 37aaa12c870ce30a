package otp

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// The defaults of a HOTPPolicy.
const (
	defaultLookAhead    = 9
	defaultResyncWindow = 100
	defaultHOTPCeiling  = 50
	maxLookAhead        = 100
	maxResyncWindow     = 1000
)

// A HOTPPolicy says how counter-based codes are made and which are accepted. Only Issuer is required.
type HOTPPolicy struct {
	// Name names the service: services of one name over one vault share their keys. 1 to 40 ASCII letters, digits and "-_."; empty
	// means "hotp". Never change it: the name is stored with every record.
	Name string
	// Issuer is the name that an app shows: 1 to 256 bytes without a colon. Required.
	Issuer string
	// Algorithm and Digits are those of keys that Enrol makes. Zero means SHA1, the only one of RFC 4226, and 6 digits; at most 8.
	Algorithm Algorithm
	Digits    int
	// LookAhead is how many codes before the typed one may be unused: the button was pressed in vain. Each makes guessing easier
	// (RFC 4226 section 7.4). Zero means 9, at most 100; None means none.
	LookAhead int
	// ResyncWindow is how far ahead [HOTP.Resync] looks for two codes that follow each other. Zero means 100; LookAhead to 1000.
	ResyncWindow int
	// PendingFor is how long an enrolled key waits for its first code. Zero means 1 hour; 1 minute to 30 days.
	PendingFor time.Duration
	// Lockout limits wrong codes. The zero Policy means that five lock for a minute, each further five for twice as long, up to a
	// day. The Ceiling, at which the key is disabled, is 50 unless it is set, since ten codes are accepted at a time. Ten each
	// of it are for callers who have shown a login and a known device (lockout.Policy.Reserve).
	Lockout lockout.Policy
	// Exceptions accept clauses, each with its reason: "guess budget" a GuessProbability above 1 in 1,000, now or with the fewer
	// digits of an imported key, and "SP 800-63B-4 3.1.4.1" imported seeds of less than 16 bytes.
	Exceptions []civicpin.Exception
}

// withDefaults returns the policy with its zero fields filled in.
func (c HOTPPolicy) withDefaults() HOTPPolicy {
	if c.Name == "" {
		c.Name = "hotp"
	}
	if c.ResyncWindow == 0 {
		c.ResyncWindow = defaultResyncWindow
	}
	withCommonDefaults(&c.Algorithm, &c.Digits, &c.PendingFor, &c.Lockout)
	if c.Lockout.Ceiling == 0 {
		c.Lockout.Ceiling = defaultHOTPCeiling
	}
	return c
}

// width is how many codes of a key are accepted at a time.
func (c *HOTPPolicy) width() int { return orNone(c.LookAhead, defaultLookAhead) + 1 }

// common returns what TOTP has, too. c has its defaults. Guessing two codes for Resync is harder than guessing one.
func (c *HOTPPolicy) common() commonPolicy {
	return commonPolicy{
		kind: "hotp", name: c.Name, issuer: c.Issuer, algorithm: c.Algorithm, digits: c.Digits,
		pending: c.PendingFor, lockout: c.Lockout, exceptions: c.Exceptions,
		accepted: 2 * c.width(), // an active key and a pending one
	}
}

// GuessProbability returns the chance to guess a code before the ceiling of failures in a row disables the key. It takes the
// worst case: a pending key beside the active one. For the defaults it is 1 in 1,000, and half of that without a pending key.
// The owner's own successes in between start the count again.
func (c HOTPPolicy) GuessProbability() float64 {
	c = c.withDefaults()
	return c.common().chance(c.Digits)
}

// Breaks lists the clauses that the policy breaks, with what breaks them, also those that Exceptions names. It breaks "guess
// budget" or none.
func (c HOTPPolicy) Breaks() []civicpin.Breach {
	c = c.withDefaults()
	return c.common().breaks(c.Digits)
}

// Validate returns nil, or an error that matches [ErrInvalidPolicy] and says what is wrong.
func (c HOTPPolicy) Validate() error {
	c = c.withDefaults()
	if w := c.width(); w < 1 || w > maxLookAhead+1 {
		return badPolicy("LookAhead is not 0 to %d", maxLookAhead)
	}
	if c.ResyncWindow < c.width()-1 || c.ResyncWindow > maxResyncWindow {
		return badPolicy("ResyncWindow is not LookAhead to %d", maxResyncWindow)
	}
	return c.common().validate()
}

// HOTP checks the codes of tokens with a button and a counter (RFC 4226). Make one with [NewHOTP]. It is safe for concurrent
// use, and any number of them of one name, in any number of processes, over one store work on the same keys.
type HOTP struct {
	*keys
	policy HOTPPolicy
}

// NewHOTP returns a HOTP. credentials, of which there is at most one, end keys by acts upon a subject's secret: see
// [Credentials]. Without them no act ends a key but those of this package. Errors match [ErrInvalidPolicy] if the policy is
// invalid; a nil vault is an error, too, and more than one of credentials.
//
// An undo of contacts ends the keys that were bound since only in a process that made this service: make it in each process
// that serves the links of package contact.
func NewHOTP(v *store.Vault, c HOTPPolicy, credentials ...Credentials) (*HOTP, error) {
	h := &HOTP{policy: c.withDefaults()}
	var err error
	if h.keys, err = newKeys(v, &h.policy, h.compare, credentials); err != nil {
		return nil, err
	}
	return h, nil
}

// Policy returns the policy with its defaults filled in; LookAhead stands as it was given.
func (h *HOTP) Policy() HOTPPolicy { return h.policy }

// compare looks for a code among the next ones.
func (h *HOTP) compare(ctx context.Context, b *boundKey, guess typedCode, _ time.Time) found {
	key := b.oath()
	at, match := attempt.Code(ctx, &key, guess.number, b.Next, h.policy.width(), b.Next)
	if guess.digits != b.Digits {
		return found{}
	}
	return found{match: match, next: at + 1}
}

// Resync finds a token again whose button was pressed in vain more often than LookAhead allows. Its holder types two codes that
// it shows one after the other; Resync looks for the pair in ResyncWindow. The pair is one attempt, and counts as one of
// Verify. A nil error means that the subject has shown the token, and the next code is the one after the two. Errors and costs
// are those of [HOTP.Verify].
func (h *HOTP) Resync(ctx context.Context, subject civicpin.Subject, first, second civicpin.Secret,
	source civicpin.Source,
) error {
	one, two := readCode(first), readCode(second)
	return h.prove(ctx, subject, source, eventResynced, func(ctx context.Context, b *boundKey, _ time.Time) found {
		key := b.oath()
		at, match := attempt.CodePair(ctx, &key, one.number, two.number, b.Next, h.policy.ResyncWindow+1)
		if one.digits != b.Digits || two.digits != b.Digits {
			return found{}
		}
		return found{match: match, next: at + 2}
	})
}
