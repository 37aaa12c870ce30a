package otp

import (
	"encoding/base32"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
)

// An Algorithm is the hash function under a code's HMAC. Several apps know only SHA1, whatever the key says. It is as good as
// the others here: HMAC does not rest on the property that SHA-1 has lost. OWASP ASVS 5.0 appendix C lists HMAC-SHA-1 as
// legacy.
type Algorithm string

// The algorithms of RFC 6238.
const (
	SHA1   Algorithm = "SHA1"
	SHA256 Algorithm = "SHA256"
	SHA512 Algorithm = "SHA512"
)

// hash returns the algorithm as package oath names it, zero for one that is none of the constants.
func (a Algorithm) hash() oath.Hash {
	switch a {
	case SHA1:
		return oath.SHA1
	case SHA256:
		return oath.SHA256
	case SHA512:
		return oath.SHA512
	}
	return 0
}

const (
	// maxSeed bounds a seed in bytes: the longest block of the hash functions. HMAC hashes what is longer.
	maxSeed = 128
	// minSeed is the least length of a seed in bytes that is bound without an exception: RFC 4226 section 4 requires 128 bits,
	// and NIST SP 800-63B-4 3.1.4.1 112.
	minSeed = 16
	// maxLabel bounds issuer and account in bytes.
	maxLabel = 256
	// maxCounter leaves a token more presses than it will ever see, and keeps counters from running over.
	maxCounter = 1 << 62
	// maxPeriod is the longest time that one code may stay the current one (NIST SP 800-63B-4 3.1.4.1).
	maxPeriod = 2 * time.Minute
)

// A Key is the secret that an app or a token shares with the server, and how codes are computed from it. [TOTP.Enrol] makes one
// and [ParseKey] reads one from a URI. For a hardware token, fill one in from the maker's list, for Import.
type Key struct {
	// Issuer and Account are what an app shows: whose key it is, and for whom. Enrol fills in the configured issuer and the
	// subject; change Account before showing the key if the subject knows another name. An issuer has no colon.
	Issuer, Account string
	// Seed is the secret itself: bytes, not text.
	Seed civicpin.Secret
	// Algorithm and Digits say how a code is computed. Digits is 6 to 8.
	Algorithm Algorithm
	Digits    int
	// Period is how long a code of a TOTP key stays the current one, in whole seconds up to 2 minutes. Zero makes it a HOTP
	// key.
	Period time.Duration
	// Counter is that of a HOTP key's next code; zero for a TOTP key.
	Counter uint64
}

// seedText is how seeds are written in URIs and typed in by hand.
var seedText = base32.StdEncoding.WithPadding(base32.NoPadding)

// Secret returns the seed in base32, to be typed into an app instead of scanning a QR code.
func (k Key) Secret() civicpin.Secret {
	return civicpin.NewSecret(seedText.EncodeToString([]byte(k.Seed.Reveal())))
}

// check returns nil, or a *[KeyError] about the first field that is missing or out of range. It does not look at the length of
// the seed beyond what can be computed with.
func (k Key) check() error {
	seed := len(k.Seed.Reveal())
	switch {
	case seed == 0 || seed > maxSeed:
		return &KeyError{Part: "secret"}
	case !validLabel(k.Issuer) || hasColon(k.Issuer):
		return &KeyError{Part: "issuer"}
	case !validLabel(k.Account):
		return &KeyError{Part: "label"}
	case k.Algorithm.hash() == 0:
		return &KeyError{Part: "algorithm"}
	case k.Digits < oath.MinDigits || k.Digits > oath.MaxDigits:
		return &KeyError{Part: "digits"}
	case k.Period != 0 && !validPeriod(k.Period):
		return &KeyError{Part: "period"}
	case k.Counter > maxCounter || k.Period != 0 && k.Counter != 0:
		return &KeyError{Part: "counter"}
	}
	return nil
}

func validPeriod(d time.Duration) bool {
	return d >= time.Second && d <= maxPeriod && d%time.Second == 0
}

// A KeyError says which part of a key is invalid. It never quotes the key. It matches [civicpin.ErrInvalid].
type KeyError struct {
	// Part is "length" (of the whole URI), "scheme", "type", "label", "parameter" (unknown, repeated, or not written as a
	// parameter), "secret", "issuer", "algorithm", "digits", "period" or "counter".
	Part string
}

// Error names the part.
func (e *KeyError) Error() string { return "otp: key: invalid " + e.Part }

// Is reports whether target is [civicpin.ErrInvalid].
func (e *KeyError) Is(target error) bool { return target == civicpin.ErrInvalid }
