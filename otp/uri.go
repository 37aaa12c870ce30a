package otp

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/oath"
)

// maxURI bounds a URI in bytes: the longest issuer (twice), account and seed with every byte escaped.
const maxURI = 4096

const scheme = "otpauth://"

// The values that apps take for granted.
const (
	defaultAlgorithm = SHA1
	defaultDigits    = 6
	defaultPeriod    = 30 * time.Second
)

// URI returns the key as authenticator apps read it from a QR code: otpauth://totp/Issuer:account?secret=…&issuer=… It is as
// secret as the seed.
//
// The issuer stands in the label, for older apps, and as a parameter, for newer ones; blanks are %20, since apps show a plus as
// a plus. 6 digits, SHA1 and 30 seconds are left out: apps that ignore these parameters then show right codes, and the QR code
// has fewer dots. A key with a missing field gives a URI that [ParseKey] refuses.
func (k Key) URI() civicpin.Secret {
	kind := "totp"
	if k.Period == 0 {
		kind = "hotp"
	}
	var b strings.Builder
	b.WriteString(scheme + kind + "/")
	if k.Issuer != "" {
		b.WriteString(escape(k.Issuer) + ":")
	}
	b.WriteString(escape(k.Account) + "?secret=" + k.Secret().Reveal())
	if k.Issuer != "" {
		b.WriteString("&issuer=" + escape(k.Issuer))
	}
	if k.Algorithm != defaultAlgorithm {
		b.WriteString("&algorithm=" + escape(string(k.Algorithm)))
	}
	if k.Digits != defaultDigits {
		b.WriteString("&digits=" + strconv.Itoa(k.Digits))
	}
	switch {
	case k.Period == 0:
		b.WriteString("&counter=" + strconv.FormatUint(k.Counter, 10))
	case k.Period != defaultPeriod:
		b.WriteString("&period=" + strconv.FormatInt(int64(k.Period/time.Second), 10))
	}
	return civicpin.NewSecret(b.String())
}

// escape percent-encodes all but what no part of a URI could take for its own, and the @ of an e-mail address, which stands
// bare in every published example.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~@", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&0xf]})
	}
	return b.String()
}

// ParseKey reads a key from an otpauth URI, such as another system wrote. It is strict, because a misread key refuses every
// code of its owner. A parameter that is unknown or repeated, an issuer that differs from the label's, a plus that may have
// meant a blank, padding, and digits, periods and counters out of range are errors of type *[KeyError]. A seed may be in lower
// case. Seeds of 10 bytes are read, too; Import requires 16.
func ParseKey(uri civicpin.Secret) (Key, error) {
	k, part := parseKey(uri.Reveal())
	if part != "" {
		return Key{}, &KeyError{Part: part}
	}
	if err := k.check(); err != nil {
		return Key{}, err
	}
	return k, nil
}

// parseKey returns the key, or the part of the URI that is not well formed. What the parts may be is for Key.check.
func parseKey(uri string) (k Key, badPart string) {
	if len(uri) > maxURI {
		return k, "length"
	}
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return k, "scheme"
	}
	kind, rest, found := strings.Cut(uri[len(scheme):], "/")
	hotp := strings.EqualFold(kind, "hotp")
	if !found || !hotp && !strings.EqualFold(kind, "totp") {
		return k, "type"
	}
	label, query, found := strings.Cut(rest, "?")
	if !found || strings.ContainsAny(label, "/#") {
		return k, "label"
	}
	label, err := url.PathUnescape(label)
	if err != nil {
		return k, "label"
	}
	issuer, account, prefixed := strings.Cut(label, ":")
	if !prefixed {
		issuer, account = "", label
	}
	k.Account = strings.TrimLeft(account, " ") // blanks may follow the colon
	if k.Account == "" || prefixed && issuer == "" {
		return k, "label"
	}
	p, badPart := parameters(query)
	if badPart != "" {
		return k, badPart
	}

	k.Issuer = issuer
	if p["issuer"] != "" {
		k.Issuer = p["issuer"]
	}
	if prefixed && k.Issuer != issuer {
		return k, "issuer"
	}
	seed, ok := parseSeed(p["secret"])
	if !ok {
		return k, "secret"
	}
	k.Seed = civicpin.NewSecret(seed)
	k.Algorithm, k.Digits = defaultAlgorithm, defaultDigits
	if a, ok := p["algorithm"]; ok {
		k.Algorithm = Algorithm(a)
	}
	if digits, ok := p["digits"]; ok {
		n, ok := parseNumber(digits)
		if !ok || n > oath.MaxDigits {
			return k, "digits"
		}
		k.Digits = int(n)
	}
	period, hasPeriod := p["period"]
	counter, hasCounter := p["counter"]
	switch {
	case hotp && hasPeriod:
		return k, "period"
	case hotp:
		if k.Counter, ok = parseNumber(counter); !ok {
			return k, "counter"
		}
	case hasCounter:
		return k, "counter"
	case hasPeriod:
		n, ok := parseNumber(period)
		if !ok || n == 0 || n > uint64(maxPeriod/time.Second) { // with zero it would be a HOTP key
			return k, "period"
		}
		k.Period = time.Duration(n) * time.Second
	default:
		k.Period = defaultPeriod
	}
	return k, ""
}

// parameters splits a query. All parameters are known, stand once and are not empty.
func parameters(query string) (p map[string]string, badPart string) {
	p = make(map[string]string)
	for pair := range strings.SplitSeq(query, "&") {
		name, raw, _ := strings.Cut(pair, "=")
		switch name {
		case "secret", "issuer", "algorithm", "digits", "period", "counter":
		default:
			return nil, "parameter"
		}
		if _, twice := p[name]; twice {
			return nil, "parameter"
		}
		value, err := url.PathUnescape(raw)
		if err != nil || value == "" || strings.ContainsAny(raw, "+#") {
			return nil, name
		}
		p[name] = value
	}
	return p, ""
}

// parseSeed reads base32, in either case. Bits that are left over must be zero, so that there is one way to write a seed.
func parseSeed(text string) (seed string, ok bool) {
	for i := range len(text) {
		if c := text[i]; !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '2' && c <= '7') {
			return "", false // the decoder would pass over line ends
		}
	}
	text = strings.ToUpper(text)
	b, err := seedText.DecodeString(text)
	if err != nil || seedText.EncodeToString(b) != text {
		return "", false
	}
	return string(b), true
}

// parseNumber reads a number that is written as strconv writes it: no sign, no leading zero.
func parseNumber(text string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil && strconv.FormatUint(n, 10) == text
}

func hasColon(s string) bool { return strings.Contains(s, ":") }

// validLabel reports whether s can be shown by an app.
func validLabel(s string) bool { return names.Printable(s, maxLabel) }
