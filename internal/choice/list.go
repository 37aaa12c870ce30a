package choice

import (
	_ "embed"
	"strings"
)

// A list holds folded values, one a line, in ascending order of bytes. It is searched as it lies in the program's read-only
// memory: no set has to be built, so there is nothing to initialise and nothing to hold twice.
type list string

// commonValues are the values that are guessed first, as they stand. data/SOURCES.md says where they come from.
//
//go:embed data/common.txt
var commonValues list

// commonWords are the words of which people put passwords together: letters only. No value is in both lists.
//
//go:embed data/words.txt
var commonWords list

// has reports whether a value is one of the lines.
func (l list) has(value string) bool {
	if value == "" || strings.Contains(value, "\n") {
		return false
	}
	at := l.from(value, 0, len(l))
	return at < len(l) && l.line(at) == value
}

// from returns where between low and high, both the beginnings of lines or the end, the first line begins that is not less
// than the value.
func (l list) from(value string, low, high int) int {
	for low < high {
		middle := (low + high) / 2
		start := low + strings.LastIndexByte(string(l[low:middle]), '\n') + 1
		line := l.line(start)
		if line < value {
			low = start + len(line) + 1
		} else {
			high = start
		}
	}
	return low
}

func (l list) line(start int) string {
	return string(l[start : start+strings.IndexByte(string(l[start:]), '\n')])
}

// cutShort is how many letters make a beginning of a line, at the end of a text, as good as the line: a secret of exactly
// eight characters is often the first eight of a longer word.
const cutShort = 6

// prefixes calls found with the length of each beginning of the text that is one of the lines, and of the whole text if it is
// the beginning of one.
func (l list) prefixes(text []rune, found func(length int)) {
	low, high := 0, len(l)
	prefix := make([]byte, 0, 64)
	for i, c := range text {
		prefix = append(prefix, string(c)...)
		low = l.from(string(prefix), low, high)
		high = l.from(string(prefix)+"\xff", low, high)
		if low == high {
			return
		}
		if l.line(low) == string(prefix) || i == len(text)-1 && i+1 >= cutShort {
			found(i + 1)
		}
	}
}
