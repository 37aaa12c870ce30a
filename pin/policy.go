package pin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/standard"
	"github.com/civicpin/civicpin/lockout"
)

// ErrInvalidPolicy matches every error about an invalid policy.
var ErrInvalidPolicy = errors.New("pin: invalid policy")

// Unambiguous is an alphabet of 28 digits and letters without look-alikes.
const Unambiguous = string(code.Unambiguous)

// A Form is what a chosen secret consists of.
type Form string

// The forms of a chosen secret.
const (
	// Digits is a PIN of the digits 0 to 9.
	Digits Form = "digits"
	// Alphanumeric is a PIN of the letters A to Z, without regard to case, and the digits.
	Alphanumeric Form = "alphanumeric"
	// Password is any text: PRECIS OpaqueString (RFC 8265), counted in code points.
	Password Form = "password"
)

// Chosen says what a secret of the subject's own choice may be, and Form what it consists of. Whatever the form, common values,
// repeats, sequences, dates and pieces of the subject's own data are refused with a [ChoiceError] that names the rule.
type Chosen struct {
	// Form is what the secret consists of. Required.
	Form Form
	// Min and Max are the least and the greatest length in characters: 4 to 128, and from 8 for a Password. Required. A Min
	// below 15 or a Max below 64 takes an exception (NIST SP 800-63B-4 3.1.1.2). With a second factor at each use, 8 are
	// enough: the exception says so.
	Min, Max int
	// Words are further values to refuse: the agency's and the service's names, and what people make of them (NIST SP 800-63B-4
	// 3.1.1.2). They are refused alone and put together with common words, without regard to case and accents. At most 256;
	// empty means none.
	Words []string
	// Breached, if not nil, reports whether a secret is known from a breach: by a [breached.File], or by a service. If so the
	// secret is refused with rule.Breached, and if Breached fails, with [ErrUnchecked]. An Alphanumeric secret is asked for in
	// upper and in lower case. Breached is called before the proof, so any visitor can have it called, though only as many at
	// once as may wait for a hash: bound the calls of a remote service, and their time. It may be called concurrently. It is no
	// part of the policy's JSON: set it after reading.
	//
	// [breached.File]: https://pkg.go.dev/github.com/civicpin/civicpin/pin/breached
	Breached func(context.Context, civicpin.Secret) (bool, error)
}

// A Policy is everything in which one PIN system differs from another. It is plain data, and may be written and read as JSON
// (see [ParsePolicy]). The zero Policy is refused; [Default] and [INPS] are complete ones to begin from.
type Policy struct {
	// Name names the system, "inps": services of one name over one vault share their credentials. 1 to 40 ASCII letters, digits
	// and "-_.". Never change it: the name is stored with every record. Required.
	Name string

	// Alphabet, Parts and Length are what is issued: Parts parts, 1 to 8, each of Length characters of the alphabet, drawn at
	// random. The alphabet has 2 to 64 characters of ASCII; Length is 4 to 32. Case, blanks and hyphens of typed input do not
	// matter. All three are required.
	Alphabet string
	Parts    int
	Length   int
	// Valid is how long an issued secret may wait for its exchange, by channel; the longest of its parts' channels counts.
	// Channels that are not listed are refused. Required: 1 to 32 channels, 1 minute to 30 days, which NIST SP 800-63A-4 3.8
	// allows for letters abroad. More than 24 hours by e-mail, or 10 minutes by a channel that is not printed, takes an
	// exception.
	Valid map[civicpin.Channel]time.Duration
	// OwnChannels are the channels of the caller's own that Valid lists; at most 16. Any other channel that is none of package
	// civicpin's is refused as misspelt. Empty means none.
	OwnChannels []civicpin.Channel

	// Chosen is what the subject may exchange the issued secret for. Required.
	Chosen Chosen
	// MaxAge is how long after its last change a chosen secret has to be changed, and MaxUnused how long after its last use it
	// has to be issued anew. Zero means never. NIST SP 800-63B-4 3.1.1.2 forbids periodic change, so MaxAge takes an exception;
	// some systems' rules require it.
	MaxAge, MaxUnused time.Duration
	// History is how many former secrets may not be chosen again, 0 to 10. The current one never may. Zero means no other.
	History int

	// Requests says what a request on line for a secret rests on. Zero means on contacts that the subject has proved, or on a
	// letter to the address in the caller's register.
	Requests Requests
	// ResumeOnEvidence says that [Service.Resume] requires evidence of the subject's identity.
	ResumeOnEvidence bool

	// Lockout limits wrong guesses. Required.
	Lockout lockout.Policy
	// Sends limits the messages for a subject; the limits by address, country and source are the outbox's. Zero means 10 in 24
	// hours. Half of it must fit the outbox's Limits.Proved: see [New].
	Sends civicpin.Rate
	// Levels is the assurance level that each method of proving identity gives. Methods that are not listed give none; empty
	// means that no method gives a level.
	Levels map[civicpin.Method]civicpin.Level
	// Hashing says what hashing costs. Zero means 19 MiB and two passes, as its fields say.
	Hashing Hashing

	// Exceptions accept what [Policy.Breaks] lists: each names one clause, and why. Empty means none.
	Exceptions []civicpin.Exception
}

// Default returns a policy to begin from: an activation code of 12 characters in one part, exchanged for a password of at least
// 15. Five wrong guesses lock for a minute, and each further five for twice as long, up to a day. Up to three devices of the
// subject have lanes of their own ([Service.RememberDevice]): each has 12 of the 100 wrong guesses that disable, and all other
// callers have 52. An issued code is valid for 24 hours by e-mail, 21 days by letter, 7 days if handed over, and 10 minutes
// otherwise (NIST SP 800-63A-4 3.8; 7 days at a desk: 63A-3 4.4.1.6). The chance to guess either secret is below 1 in 10
// billion. Without voice and push: p := pin.Default(); delete(p.Valid, civicpin.Voice); delete(p.Valid, civicpin.Push).
func Default() Policy {
	return Policy{
		Name:     "default",
		Alphabet: Unambiguous,
		Parts:    1,
		Length:   12,
		Valid: map[civicpin.Channel]time.Duration{
			civicpin.SMS: 10 * time.Minute, civicpin.Voice: 10 * time.Minute, civicpin.Push: 10 * time.Minute,
			civicpin.Email: 24 * time.Hour, civicpin.CertifiedEmail: 24 * time.Hour,
			civicpin.Letter: 21 * day, civicpin.HandedOver: 7 * day,
		},
		Chosen:  Chosen{Form: Password, Min: 15, Max: 128},
		Lockout: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: day, Devices: 3}.WithRates(),
		Levels:  defaultLevels(),
	}
}

// INPS returns the policy of Italy's INPS PIN: 16 characters in two parts of 8, exchanged for 8 of the subject's own, letters
// and digits without regard to case; to be changed every three months, and issued anew after six months without use; level Low
// is the PIN ordinario, and Substantial, after an identity document was checked, the PIN dispositivo. Letters are valid for 21
// days, all else for seven.
//
// The holder of one part has to guess the other: the chance before the PIN is disabled is 50 in 28^8, 1 in 7*10^9. For the
// chosen PIN it is 3 in 100,000, crediting a chosen secret with half the bits of a random one (see [Policy.GuessProbability]).
// A first PIN may be asked for on line with any two contacts. After an office has revoked a PIN, the request on line takes one
// of: the code that the office printed ([Service.RequestCode]), contacts that the subject has proved or that staff adopted, or
// half of the PIN by letter to the address in the register.
//
// Of the 50 guesses 26 are for strangers; the others are kept for three known devices, so that strangers do not keep out an
// owner who has one. Without letters: p := pin.INPS(); delete(p.Valid, civicpin.Letter).
func INPS() Policy {
	const week = 7 * day
	return Policy{
		Name:     "inps",
		Alphabet: Unambiguous,
		Parts:    2,
		Length:   8,
		Valid: map[civicpin.Channel]time.Duration{
			civicpin.SMS: week, civicpin.Voice: week, civicpin.Email: week, civicpin.CertifiedEmail: week,
			"citizen-certified-email": week, // PEC cittadino
			civicpin.HandedOver:       week, civicpin.Letter: 3 * week,
		},
		OwnChannels: []civicpin.Channel{"citizen-certified-email"},
		Chosen:      Chosen{Form: Alphanumeric, Min: 8, Max: 8},
		MaxAge:      90 * day,
		MaxUnused:   180 * day,
		Lockout: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: day, Ceiling: 50, Devices: 3}.
			WithRates(),
		Levels:   defaultLevels(),
		Requests: Requests{Renew: true, Typed: true},
		Exceptions: []civicpin.Exception{
			{Clause: standard.LeastMin, Reason: "the format of the INPS PIN: disabled after fifty wrong guesses"},
			{Clause: standard.LeastMax, Reason: "the format of the INPS PIN: eight letters and digits"},
			{Clause: standard.NoPeriod, Reason: "the INPS has its PIN changed every three months"},
			{Clause: standard.CodeValid, Reason: "a week for both halves to arrive, of which neither opens anything alone"},
			{Clause: standard.TypedContacts, Reason: "the first PIN is asked for on line with any two contacts, and is ordinario " +
				"until an identity check"},
		},
	}
}

const day = 24 * time.Hour

// defaultLevels grades methods as the systems of the examples do, such as Cl@ve with its basic and advanced registration.
func defaultLevels() map[civicpin.Method]civicpin.Level {
	return map[civicpin.Method]civicpin.Level{
		civicpin.InPerson:         civicpin.Substantial,
		civicpin.Video:            civicpin.Substantial,
		civicpin.UploadedDocument: civicpin.Substantial,
		civicpin.Certificate:      civicpin.Substantial,
		civicpin.AutomatedVideo:   civicpin.Low,
		civicpin.LetterCode:       civicpin.Low,
	}
}

// withDefaults returns a copy, sharing nothing with p, with zero fields filled in.
func (p Policy) withDefaults() Policy {
	p.Valid, p.Levels, p.Chosen.Words = maps.Clone(p.Valid), maps.Clone(p.Levels), slices.Clone(p.Chosen.Words)
	p.OwnChannels, p.Exceptions = slices.Clone(p.OwnChannels), slices.Clone(p.Exceptions)
	if p.Sends == (civicpin.Rate{}) {
		p.Sends = civicpin.Rate{Limit: 10, Window: day}
	}
	d := p.hashParams().Or(password.Default())
	p.Hashing.Memory, p.Hashing.Time, p.Hashing.Threads = d.Memory, d.Time, d.Threads
	p.Hashing.Former = slices.Clone(p.Hashing.Former)
	return p
}

func (p Policy) hashParams() password.Params {
	return password.Params{Memory: p.Hashing.Memory, Time: p.Hashing.Time, Threads: p.Hashing.Threads}
}

func (p Policy) rules() choice.Rules {
	return choice.Rules{Form: p.Chosen.Form.rules(), Min: p.Chosen.Min, Max: p.Chosen.Max, Words: p.Chosen.Words}
}

// normaliser is what brings a chosen secret to the form that is hashed.
func (c Chosen) normaliser() normaliser {
	return normaliser{Version: choice.NormaliserVersion, Form: c.Form}
}

// gateName is the name of the gate of a policy, apart from the gates that the caller may have.
func gateName(policy string) string { return "pin." + policy }

// rules returns the form as package choice names it, zero for one that is none of the constants.
func (f Form) rules() choice.Form {
	switch f {
	case Digits:
		return choice.Digits
	case Alphanumeric:
		return choice.Alphanumeric
	case Password:
		return choice.Password
	}
	return 0
}
