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

// A HOTPPolicy says what counter-based codes are like and which are accepted. Only Issuer is required.
type HOTPPolicy struct {
	// Name names the service: those of one name over one vault share their keys. 1 to 40 ASCII letters, digits and "-_.";
	// default "hotp". Stored with every record, so never change it.
	Name string
	// Issuer is the name that an app shows: 1 to 256 bytes without a colon. Required.
	Issuer string
	// Algorithm and Digits are those of keys that Enrol makes. Defaults: SHA1, which is all that RFC 4226 knows, and 6; at most
	// 8.
	Algorithm Algorithm
	Digits    int
	// LookAhead is how many codes may have been made and not used before the one that is typed: a button that was pressed in
	// vain. Each makes guessing easier (RFC 4226 section 7.4). Default 9, at most 100; None for none.
	LookAhead int
	// ResyncWindow is how far ahead [HOTP.Resync] looks for two codes that follow each other. Default 100; LookAhead to 1000.
	ResyncWindow int
	// PendingFor is how long a key that was enrolled waits for its first code. Default 1 hour; 1 minute to 30 days.
	PendingFor time.Duration
	// Lockout says how many wrong codes are borne. Default: five lock for a minute, each further five for twice as long, up to
	// a day; its Ceiling, after which the key is disabled, is 50 unless it is set, since ten codes are accepted at a time.
	Lockout lockout.Policy
	// Exception names the reason, for the reader of the configuration, why a chance of guessing above 1 in 1,000 is accepted
	// (see GuessProbability), or imported seeds of less than 16 bytes. Empty means that neither is.
	Exception string
}

// withDefaults returns the configuration with its zero fields filled in.
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
func (c *HOTPPolicy) common() keyConfig {
	return keyConfig{
		kind: "hotp", name: c.Name, issuer: c.Issuer, algorithm: c.Algorithm, digits: c.Digits,
		pending: c.PendingFor, lockout: c.Lockout, exception: c.Exception,
		accepted: 2 * c.width(), // an active key and a pending one
	}
}

// GuessProbability returns the chance that somebody guesses a code before the ceiling of failures in a row disables the key.
// It takes the worst case: a pending key beside the active one. For the defaults it is 1 in 1,000, and half of that without a
// pending key; the owner's own successes in between start the count again.
func (c HOTPPolicy) GuessProbability() float64 {
	c = c.withDefaults()
	common := c.common()
	return common.chance(c.Digits)
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
	common := c.common()
	return common.validate()
}

// HOTP checks the codes of tokens with a button and a counter (RFC 4226). Make one with [NewHOTP]. It is safe for concurrent
// use, and any number of them of one name, in any number of processes, over one store work on the same keys.
type HOTP struct {
	*keys
	config HOTPPolicy
}

// NewHOTP returns a HOTP. It gives an error that matches [ErrInvalidPolicy] if the configuration is not valid.
func NewHOTP(v *store.Vault, c HOTPPolicy) (*HOTP, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	k, err := newKeys(v, c.common())
	if err != nil {
		return nil, err
	}
	return &HOTP{keys: k, config: c}, nil
}

// Config returns the configuration with its defaults filled in; LookAhead stands as it was given.
func (h *HOTP) Policy() HOTPPolicy { return h.config }

// Verify checks a code, and uses it up together with all that the token made before it. Blanks and hyphens are forgiven. The
// first right code of a pending key activates it, and ends the key that was active before.
//
// Errors: a *[lockout.LockedError], which may be told, since unknown subjects lock alike; [ErrBusy]; [ErrRefused] for
// everything that is wrong with code or subject; [civicpin.ErrInvalid] for a subject that cannot be. Anything else, such as the
// store's error, is for the log: the code may then have been used up, so ask for the next one.
//
// Five store calls for a right code, four for a wrong one or an unknown subject, one while locked.
func (h *HOTP) Verify(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret, source civicpin.Source) error {
	guess := readCode(typed)
	return h.prove(ctx, subject, source, eventVerified, func(b *boundKey, _ time.Time) found {
		key := b.oath()
		at, match := attempt.Code(&key, guess.number, b.Next, h.config.width(), b.Next)
		if guess.digits != b.Digits {
			return found{}
		}
		return found{match: match, next: at + 1}
	})
}

// Resync finds a token again whose button was pressed more often in vain than LookAhead bears: its holder types two codes that
// it shows one after the other, which are looked for in ResyncWindow. It is one attempt, whichever of the codes is wrong, and
// counts as Verify's do; nil means that the subject has shown the token, and that the next code is the one after those two.
//
// Errors and store calls are those of [HOTP.Verify].
func (h *HOTP) Resync(ctx context.Context, subject civicpin.Subject, first, second civicpin.Secret,
	source civicpin.Source,
) error {
	one, two := readCode(first), readCode(second)
	return h.prove(ctx, subject, source, eventResynced, func(b *boundKey, _ time.Time) found {
		key := b.oath()
		at, match := attempt.CodePair(&key, one.number, two.number, b.Next, h.config.ResyncWindow+1)
		if one.digits != b.Digits || two.digits != b.Digits {
			return found{}
		}
		return found{match: match, next: at + 2}
	})
}
