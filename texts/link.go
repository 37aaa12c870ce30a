package texts

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
)

const (
	// maxPage is the greatest length of the page's address. With the longest token the line is below the 998 bytes that a
	// line of an e-mail has (RFC 5322 2.1.1).
	maxPage  = 200
	maxToken = 256
)

const (
	letters    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits     = "0123456789"
	unreserved = letters + digits + "-._~" // RFC 3986 2.3
)

// secrets checks what a message carries against its kind, and sets what of it is told over its channel.
func (w *Writer) secrets(v *values, m civicpin.Message) error {
	may := carries(m.Kind)
	if may.code == 0 && !m.Secret.IsZero() {
		return fmt.Errorf("texts: kind %q carries no secret: %w", string(m.Kind), civicpin.ErrInvalid)
	}
	if !may.link && !m.Link.IsZero() {
		return fmt.Errorf("texts: kind %q carries no link: %w", string(m.Kind), civicpin.ErrInvalid)
	}
	if !m.Link.IsZero() {
		token := m.Link.Reveal()
		if len(token) > maxToken || strings.Trim(token, unreserved) != "" {
			return fmt.Errorf("texts: link is not 1 to %d letters, digits and \"-._~\": %w", maxToken, civicpin.ErrInvalid)
		}
		if m.To.Channel.Mail() && w.service.Page != "" {
			v.link, v.origin = w.service.Page+"#"+token, origin(w.service.Page)
		}
	}
	switch {
	case !m.Secret.IsZero() || (may.code > 0 && !may.link):
		code, ok := plain(m.Secret.Reveal())
		if !ok || len(code) > may.code {
			return fmt.Errorf("texts: secret is not 1 to %d ASCII letters and digits: %w", may.code, civicpin.ErrInvalid)
		}
		v.code, v.letters = grouped(code, "", " "), grouped(code, ", ", ". ")
		if len(code) <= 6 && m.Kind != pinPart { // telephones offer to fill in a short code that stands in one piece
			v.code = code
		}
	case may.code > 0 && v.link == "":
		return fmt.Errorf("texts: kind %q has neither a code nor a link to tell over channel %q: %w",
			string(m.Kind), string(m.To.Channel), civicpin.ErrInvalid)
	}
	return nil
}

// validPage reports whether s is an address that a token may be put behind. It takes fewer characters than addresses
// may have, so that every mail program takes it, with the token, for one link.
func validPage(s string) bool {
	if len(s) > maxPage || strings.Trim(s, unreserved+":/%") != "" {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || !strings.HasPrefix(s, u.Scheme+"://") || !validHost(u.Hostname()) || strings.HasSuffix(u.Host, ":") {
		return false
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"
	return u.Scheme == "https" || (u.Scheme == "http" && local)
}

// validHost reports whether s is a host's name (RFC 1123 2.1): labels of letters, digits and inner hyphens.
func validHost(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, letters+digits+"-") != "" {
			return false
		}
	}
	return true
}

// origin is the beginning of a valid page's address, by which the citizen knows it: "https://portal.example/". The slash
// belongs to it: another host's name may begin with this one.
func origin(page string) string {
	scheme, rest, _ := strings.Cut(page, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host + "/"
}

// linked reports whether a telephone may show a piece of s as a link: it names a scheme or a host, or
// has a full stop between a letter and a letter or digit, as a domain has, or four numbers with full stops between them, as
// an IPv4 address has. No domain ends in a number (RFC 3696 2), so "1.250" and "12.03.2026" are none. An @ alone makes no link:
// Cl@ve is a name.
func linked(s string) bool {
	s = strings.ToLower(s)
	if strings.Contains(s, "http") || strings.Contains(s, "www") || strings.Contains(s, "://") {
		return true
	}
	word := func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }
	joints := 0 // of the numbers on the left, with full stops and nothing else between them
	for i, c := range s {
		if c != '.' {
			if !unicode.IsDigit(c) {
				joints = 0
			}
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i+1:])
		switch {
		case unicode.IsDigit(before) && unicode.IsDigit(after):
			if joints++; joints == 3 {
				return true
			}
		case word(before) && word(after):
			return true
		default:
			joints = 0
		}
	}
	return false
}
