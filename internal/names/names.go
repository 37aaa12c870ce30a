// Package names says what may name something. Valid is the rule for a kind, a gate, an owner or a key: part of a storage key
// between slashes. Printable is the rule for the texts of callers that reach records, logs and messages: ids, reasons, lanes,
// facts, acts, parameters and references.
package names

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

// Distinct reports whether list is at most n different names of 1 to 64 bytes.
func Distinct(list []string, n int) bool {
	seen := make(map[string]bool)
	for _, name := range list {
		if name == "" || len(name) > 64 || seen[name] {
			return false
		}
		seen[name] = true
	}
	return len(list) <= n
}
