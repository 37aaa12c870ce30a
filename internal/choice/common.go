package choice

import (
	_ "embed"
	"slices"
	"strings"
)

// commonValues are the values that are guessed first, folded, one a line, in ascending order of bytes. data/SOURCES.md
// says where they come from. They are searched as they lie in the program's read-only memory: no set has to be built, so
// there is nothing to initialise and nothing to hold twice.
//
//go:embed data/common.txt
var commonValues string

// decoration is the greatest number of characters at the end of a value that do not make it a new one.
const decoration = 4

// common reports whether a folded secret is among the common values or the given words, as it stands or without up to
// four digits and signs at its end. NIST asks to compare whole values, not substrings; the ending is taken off because
// "mario1984" and "password1!" are what people make of a refused "mario" and "password", and because guessing programs put
// those endings on first. Nothing else is undone, so a long passphrase that holds a common word passes.
func common(folded string, words []string) bool {
	base := strings.TrimRight(folded, "0123456789!?.,;:*+-_#$@&/ ")
	if len(folded)-len(base) > decoration || len(base) < 3 {
		base = folded
	}
	if listed(folded) || (base != folded && listed(base)) {
		return true
	}
	return slices.ContainsFunc(words, func(w string) bool {
		w = fold(w)
		return w == folded || w == base
	})
}

// listed searches commonValues for a whole line by halving the range of bytes in which it can lie.
func listed(value string) bool {
	low, high := 0, len(commonValues) // both at the beginning of a line, or at the end
	for low < high {
		middle := (low + high) / 2
		start := low + strings.LastIndexByte(commonValues[low:middle], '\n') + 1
		end := start + strings.IndexByte(commonValues[start:], '\n')
		switch line := commonValues[start:end]; {
		case line == value:
			return true
		case line < value:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}
