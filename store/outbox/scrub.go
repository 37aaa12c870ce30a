package outbox

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
)

const (
	// maxReason bounds what is kept of an error's text.
	maxReason = 256
	// maxScrubbed bounds what is searched of it.
	maxScrubbed = 4 << 10
	// maxSecret is more than any secret of this library has.
	maxSecret = 256
	redacted  = "[redacted]"
)

// scrub makes an error's text fit for an event: gateways like to repeat what they were sent. The secret is replaced where it
// stands as it is, in another case, with blanks or hyphens between its characters, or as a URL, JSON or base64 holds it;
// control characters become blanks, and what is beyond 256 bytes is cut.
func scrub(text string, secret civicpin.Secret) string {
	s := secret.Reveal()
	if len(s) > maxSecret {
		return redacted // it could reach over the end of what is searched
	}
	whole := len(text) <= maxScrubbed
	if !whole {
		text = text[:maxScrubbed]
	}
	if s != "" {
		if !utf8.ValidString(s) { // the expression cannot hold it
			text = strings.ReplaceAll(text, s, redacted)
		}
		text = strings.ToValidUTF8(text, "?")
		if re, err := forms(s); err == nil {
			text = re.ReplaceAllLiteralString(text, redacted)
		} else {
			text = redacted
		}
	}
	text = strings.ToValidUTF8(text, "?")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
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

// forms matches what a secret may look like in a text. It is one expression, so that what was replaced is not searched
// again.
func forms(s string) (*regexp.Regexp, error) {
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
		all = append(all, strings.Join(apart, `[\s-]*`))
	}
	return regexp.Compile("(?i)" + strings.Join(all, "|"))
}
