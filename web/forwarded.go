package web

import "strings"

// forwarded returns the value of "for" of each element of a header Forwarded (RFC 7239 4), "" for an element without one, and
// whether the header is well formed. One malformed element spoils all: a visitor who opens a quotation that does not end could
// otherwise swallow what a proxy appends.
func forwarded(header string) (hops []string, ok bool) {
	if strings.Trim(header, " \t,") == "" {
		return nil, true
	}
	for element, rest := "", header; ; {
		element, rest, ok = pairs(rest)
		if !ok {
			return nil, false
		}
		hops = append(hops, element)
		if rest == "" {
			return hops, true
		}
		rest = rest[1:] // the comma
	}
}

// pairs reads the pairs of one element, up to a comma or the end, and returns its "for".
func pairs(s string) (node, rest string, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t")
		name, value := "", ""
		if name, s = token(s); name != "" {
			if !strings.HasPrefix(s, "=") {
				return "", "", false
			}
			if value, s, ok = text(s[1:]); !ok {
				return "", "", false
			}
		}
		if strings.EqualFold(name, "for") {
			if node != "" {
				return "", "", false // once in an element
			}
			node = value
		}
		s = strings.TrimLeft(s, " \t")
		switch {
		case s == "" || s[0] == ',':
			return node, s, true
		case s[0] != ';':
			return "", "", false
		}
		s = s[1:]
	}
}

// token reads a token (RFC 9110 5.6.2), which may be empty. Colons and brackets pass, too: many proxies do not quote the
// addresses of IPv6.
func token(s string) (tok, rest string) {
	end := strings.IndexFunc(s, func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~:[]", c)
	})
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// text reads a token or a quoted string.
func text(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest = token(s)
		return value, rest, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
