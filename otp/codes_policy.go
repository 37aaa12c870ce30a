package otp

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/policyjson"
	"github.com/civicpin/civicpin/internal/standard"
	"github.com/civicpin/civicpin/lockout"
)

const (
	// maxCodeValid is how long a code may be valid (NIST SP 800-63B-4 3.1.3.2).
	maxCodeValid = 10 * time.Minute
	// ownAlphabet is what the part of a code that the subject chooses consists of, without regard to case. It has every
	// letter and digit, so that nothing that was chosen is taken for a look-alike of it.
	ownAlphabet code.Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

	defaultMaxPending = 3
)

// A CodePolicy is everything in which one kind of delivered code differs from another. It is plain data, and may be written and
// read as JSON (see [ParseCodePolicy]). The zero CodePolicy is refused; [SMS] and [ClavePIN] are complete ones to begin from.
type CodePolicy struct {
	// Name names the codes, "sms": services of one name over one vault share them. 1 to 40 ASCII letters, digits and "-_.".
	// Never change it: the name is stored with every record. Required.
	Name string

	// Alphabet and Length are what is drawn at random and sent: 3 to 12 characters of an alphabet of 2 to 64. Both are
	// required. Case, blanks and hyphens of typed input do not matter.
	Alphabet string
	Length   int
	// Joined is the length in characters of the part that the subject may choose at [Codes.Request] and then types in front of
	// the code: letters A to Z, without regard to case, and digits; at most 8. Zero means that there is none. With a Joined
	// part, Alphabet must hold letters and digits only.
	Joined int
	// Valid is how long a code is good: 1 to 10 minutes (NIST SP 800-63B-4 3.1.3.2). Required.
	Valid time.Duration
	// Tries is how many wrong guesses end one code; at most Lockout's ceiling. They also count towards Lockout. Required.
	Tries int
	// MaxPending is how many codes of one subject may be good at the same time, 1 to 10, and as many again for callers that had
	// shown something ([civicpin.Source].Shown). One more code replaces the oldest of its sort. Zero means 3, so that an impatient
	// second request does not end a slow message's code.
	MaxPending int

	// Channels are those that may carry codes, the preferred one first: push before text messages, which NIST SP 800-63B-4
	// 3.1.3.3 restricts. E-mail takes an exception: 3.1.3.1 forbids it for authentication. A recovery may send codes by e-mail,
	// see package recovery/plan. A letter or a slip takes longer than a code lives: see package pin for those. Required, at
	// most 16.
	Channels []civicpin.Channel
	// OwnChannels are the channels of the caller's own that Channels lists; at most 16. Any other channel that is none of
	// package civicpin's is refused as misspelt. Empty means none.
	OwnChannels []civicpin.Channel
	// Decoys are at most 16 examples, {SMS, "+34600000000"}, of which Request.To is made where a subject has no contact. Empty
	// means that Request.To is always empty; showing one would reveal who is registered.
	Decoys []civicpin.Contact

	// Lockout limits wrong guesses at a subject's codes, however many codes were requested in between. Required.
	Lockout lockout.Policy
	// Sends limits the messages for a subject; the limits by address, country and source are the outbox's. Zero means 10 in 24
	// hours. It must fit the outbox's Limits.Proved: see [outbox.Outbox.Limit].
	Sends civicpin.Rate

	// Exceptions accept what [CodePolicy.Breaks] lists: each names one clause, and why. Empty means none.
	Exceptions []civicpin.Exception
}

// SMS returns the policy to begin from: six digits, by push, text message or call, good for 10 minutes and once. Five wrong
// guesses end a code and lock the subject's codes for 15 minutes, each further five for twice as long, up to a day, and a
// hundred in a row disable them: 80 of anybody's, 10 of callers who have shown a login, and 10 of those who have shown a known
// device (lockout.Policy.Reserve). The chance to guess one in all of that is 1 in 10,000 (NIST SP 800-63B-4 3.1.3.2, 3.2.2).
// Without push and voice: p := otp.SMS(); p.Channels = []civicpin.Channel{civicpin.SMS}.
func SMS() CodePolicy {
	return CodePolicy{
		Name:     "sms",
		Alphabet: string(code.Digits),
		Length:   6,
		Valid:    10 * time.Minute,
		Tries:    5,
		Channels: []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Voice},
		Lockout:  lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: 24 * time.Hour, Reserve: 10}.WithRates(),
		Sends:    codeSends(),
	}
}

// ClavePIN returns the policy of Spain's Cl@ve PIN: three characters by push or text message, good for 10 minutes and once,
// typed behind four characters that the subject may choose at the request. Three wrong guesses end a code, five lock the
// subject's for 15 minutes, each further five for twice as long, up to a day, and twenty in a row disable them: 12 of
// anybody's, 4 of callers who have shown a login, and 4 of those who have shown a known device.
//
// The policy is below what NIST asks for, and names two exceptions. Three of 32 characters (the letters without Ñ, the digits
// without 0, 1, 8 and 9) are 15 bits: one guess is right with a chance of 1 in 32,768, three at one code with 1 in 10,923, and
// all twenty with 1 in 1,638 (6.1e-4). An attacker who does not know the subject's four characters either is left with a chance
// of 4.7e-7, crediting a chosen part with half the bits of a random one.
func ClavePIN() CodePolicy {
	return CodePolicy{
		Name:     "clave-pin",
		Alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
		Length:   3,
		Joined:   4,
		Valid:    10 * time.Minute,
		Tries:    3,
		Channels: []civicpin.Channel{civicpin.Push, civicpin.SMS},
		Lockout: lockout.Policy{
			Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: 24 * time.Hour, Ceiling: 20, Reserve: 4,
		}.WithRates(),
		Sends: codeSends(),
		Exceptions: []civicpin.Exception{
			{Clause: standard.CodeBits, Reason: "the format of Cl@ve PIN: three characters, for one act and ten minutes"},
			{Clause: standard.GuessBudget, Reason: "a code goes to the registered app or telephone, and is asked for with the " +
				"identity document's data and four characters of the subject's own"},
		},
	}
}

// codeSends is the send limit of the ready policies: enough for a subject who has a dozen acts to confirm.
func codeSends() civicpin.Rate { return civicpin.Rate{Limit: 10, Window: 12 * time.Hour} }

// withDefaults returns a copy, sharing nothing with p, with zero fields filled in.
func (p CodePolicy) withDefaults() CodePolicy {
	p.Channels, p.Decoys = slices.Clone(p.Channels), slices.Clone(p.Decoys)
	p.OwnChannels, p.Exceptions = slices.Clone(p.OwnChannels), slices.Clone(p.Exceptions)
	if p.MaxPending == 0 {
		p.MaxPending = defaultMaxPending
	}
	if p.Sends == (civicpin.Rate{}) {
		p.Sends = civicpin.Rate{Limit: 10, Window: 24 * time.Hour}
	}
	return p
}

// codeGate is the name of the gate of a policy, apart from the gates that the caller may have.
func codeGate(policy string) string { return "code." + policy }

// GuessProbability returns the chance to guess codes of a subject before the ceiling of failures in a row disables them, which
// all callers share, whatever they have shown. alone is the chance of an attacker who knows the chosen part, or if there is
// none; joined is that of an attacker who has to guess the chosen part, too. A chosen part is credited with half the bits of a
// random one. The number of requested codes makes no difference, since failures are carried over. The owner's own successes in
// between start the count again.
func (p CodePolicy) GuessProbability() (alone, joined float64) {
	tries := p.Lockout.Ceiling
	if tries == 0 {
		tries = lockout.MaxCeiling
	}
	bits := code.Alphabet(p.Alphabet).Bits(p.Length)
	chance := func(bits float64) float64 { return min(1, float64(tries)*math.Pow(2, -bits)) }
	return chance(bits), chance(bits + choice.GuessBits(choice.Alphanumeric, p.Joined))
}

// Validate returns nil, or an error that matches [ErrInvalidPolicy] and says what is wrong. A clause that is broken without an
// exception is a [civicpin.Breach] in it.
func (p CodePolicy) Validate() error {
	p = p.withDefaults()
	if !names.Valid(p.Name, 40) {
		return badPolicy("Name is not 1 to 40 ASCII letters, digits and -_.")
	}
	if err := cmp.Or(p.Lockout.ValidateWithoutDevices(), p.Sends.Validate(), code.Alphabet(p.Alphabet).Validate()); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	ceiling := p.Lockout.Ceiling
	if ceiling == 0 {
		ceiling = lockout.MaxCeiling
	}
	switch {
	case p.Length < 3 || p.Length > 12:
		return badPolicy("Length is not 3 to 12")
	case p.Joined < 0 || p.Joined > 8:
		return badPolicy("Joined is not 0 to 8")
	case p.Joined > 0 && strings.Trim(strings.ToUpper(p.Alphabet), string(ownAlphabet)) != "":
		return badPolicy("Joined needs an Alphabet of letters and digits")
	case p.Tries < 1 || p.Tries > ceiling:
		return badPolicy("Tries is not 1 to the ceiling of %d", ceiling)
	case p.Valid < time.Minute || p.Valid > maxCodeValid:
		return badPolicy("Valid is not 1 to 10 minutes")
	case p.MaxPending < 1 || p.MaxPending > 10:
		return badPolicy("MaxPending is not 1 to 10")
	}
	if err := p.validateChannels(); err != nil {
		return err
	}
	return checkClauses(p.Breaks(), p.Exceptions)
}

// validateChannels checks Channels and Decoys.
func (p CodePolicy) validateChannels() error {
	if len(p.Channels) == 0 || len(p.Channels) > 16 {
		return badPolicy("Channels lists no channel, or more than 16")
	}
	for i, c := range p.Channels {
		switch {
		case c == "" || c.Printed():
			return badPolicy("Channels lists %q, by which no code is sent", c)
		case slices.Contains(p.Channels[:i], c):
			return badPolicy("Channels lists %q twice", c)
		}
	}
	if err := standard.CheckChannels("Channels", p.Channels, p.OwnChannels); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	if len(p.Decoys) > 16 {
		return badPolicy("Decoys lists more than 16 contacts")
	}
	for _, d := range p.Decoys {
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%w: Decoys: %w", ErrInvalidPolicy, err)
		}
		if !slices.Contains(p.Channels, d.Channel) {
			return badPolicy("Decoys lists a contact by %q, which Channels does not", d.Channel)
		}
	}
	return nil
}

// plainCodePolicy is a CodePolicy without its methods.
type plainCodePolicy CodePolicy

// MarshalJSON writes the policy for people to read and edit: durations as "15m" or "1d". The error is always nil.
func (p CodePolicy) MarshalJSON() ([]byte, error) {
	return policyjson.Marshal(plainCodePolicy(p))
}

// UnmarshalJSON reads what [CodePolicy.MarshalJSON] writes. It is strict: unknown and repeated fields, and unknown words and
// channels, are errors that match [ErrInvalidPolicy], and leave the policy unchanged. They name the line, the column, the field
// and what it takes. It does not validate; [ParseCodePolicy] and [NewCodes] do.
func (p *CodePolicy) UnmarshalJSON(data []byte) error {
	return policyjson.Read(data, (*plainCodePolicy)(p), ErrInvalidPolicy, policyjson.Of(lockout.Timed, lockout.UntilUnlocked))
}

// ParseCodePolicy reads and validates a policy in JSON, of at most 64 KiB. All errors match [ErrInvalidPolicy]. The page
// docs/policies.md lists the fields, and docs/policies holds the ready policies.
func ParseCodePolicy(data []byte) (CodePolicy, error) {
	return policyjson.Parse[CodePolicy](data)
}
