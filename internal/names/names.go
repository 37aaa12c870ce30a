// Package names says what may be the name of a kind, a gate, an owner or a key: part of a storage key between slashes.
package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Valid reports whether s is 1 to most ASCII letters, digits and characters of "-_.".
func Valid(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// Plain reports whether s is UTF-8 without control characters.
func Plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
