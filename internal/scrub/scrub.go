// Package scrub removes secrets from the texts of errors, before these go into an event, a log or a record.
package scrub

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
)

const (
	// maxReason bounds what is kept of an error's text.
	maxReason = 256
	// maxScrubbed bounds what is searched of it.
	maxScrubbed = 4 << 10
	// maxSecret is as much as an address may have, and more than any secret of this library has.
	maxSecret = 512
	redacted  = "[redacted]"
)

// Text makes an error's text fit for an event: gateways like to repeat what they were sent, and to whom. The secrets are
// replaced where they stand as they are, in another case, with blanks, hyphens or line ends (as in quoted-printable mail)
// between their characters, or as a URL, JSON or base64 holds them; characters that do not show become blanks, and what is
// beyond 256 bytes is cut.
func Text(text string, secrets ...civicpin.Secret) string {
	whole := len(text) <= maxScrubbed
	if !whole {
		text = text[:maxScrubbed]
	}
	var patterns []string
	for _, secret := range secrets {
		s := secret.Reveal()
		if s == "" {
			continue
		}
		if len(s) > maxSecret {
			return redacted // it could reach over the end of what is searched
		}
		if !utf8.ValidString(s) { // the expression cannot hold it
			text = strings.ReplaceAll(text, s, redacted)
		}
		all, err := forms(s)
		if err != nil {
			return redacted
		}
		patterns = append(patterns, all...)
	}
	text = strings.ToValidUTF8(text, "?")
	if len(patterns) > 0 {
		// One expression, so that what was replaced is not searched again.
		re, err := regexp.Compile("(?i)" + strings.Join(patterns, "|"))
		if err != nil {
			return redacted
		}
		re.Longest() // a code may be the beginning of a token
		text = re.ReplaceAllLiteralString(text, redacted)
	}
	text = strings.Map(func(r rune) rune {
		if !names.Shows(r) {
			return ' '
		}
		return r
	}, text)
	if !whole || len(text) > maxReason {
		text = text[:min(len(text), maxReason)]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
		text += "..."
	}
	return text
}

// forms returns expressions for what a secret may look like in a text.
func forms(s string) ([]string, error) {
	quoted, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	encoded := strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "=")
	all := []string{regexp.QuoteMeta(encoded) + "=*"}
	for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`)} {
		if utf8.ValidString(form) {
			all = append(all, regexp.QuoteMeta(form))
		}
	}
	var apart []string
	for _, r := range s {
		if r != '-' && !unicode.IsSpace(r) {
			apart = append(apart, regexp.QuoteMeta(string(r)))
		}
	}
	if len(apart) > 0 {
		all = append(all, strings.Join(apart, `[\s=-]*`)) // "=" ends a line in the middle of a word (RFC 2045 6.7)
	}
	return all, nil
}
