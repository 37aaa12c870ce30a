package choice

import (
	"slices"
	"unicode"
)

// keyboards are the rows of keys of the English, Spanish and Italian layouts, from the digits down, folded as secrets are: the
// key ñ is an n. Each row lies half a key to the right of the one above it.
var keyboards = [...][4]string{
	{"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"},
	{"1234567890'¡", "qwertyuiop`+", "asdfghjkln´c", "zxcvbnm,.-"},
	{"1234567890'i", "qwertyuiope+", "asdfghjkloau", "zxcvbnm,.-"},
}

// A key is a place on a keyboard.
type key struct{ row, column int }

// touches reports whether two different keys are neighbours.
func (k key) touches(other key) bool {
	right := other.column - k.column
	switch other.row - k.row {
	case 0:
		return right == 1 || right == -1
	case 1:
		return right == 0 || right == -1
	case -1:
		return right == 0 || right == 1
	}
	return false
}

// walk returns how many characters at the beginning of text a finger types that goes from key to neighbouring key on one of
// the keyboards: qwedsa, zaq12wsx, 1qazxsw2.
func walk(text []rune) int {
	longest := 0
	for i := range keyboards {
		longest = max(longest, walkOn(&keyboards[i], text))
	}
	return longest
}

func walkOn(board *[4]string, text []rune) int {
	var now []key // where the finger may be: a folded character may have two keys
	for n, c := range text {
		var next []key
		for row, keys := range board {
			column := 0
			for _, at := range keys {
				if k := (key{row, column}); at == c && (n == 0 || slices.ContainsFunc(now, k.touches)) {
					next = append(next, k)
				}
				column++
			}
		}
		if len(next) == 0 {
			return n
		}
		now = next
	}
	return len(text)
}

// walked reports whether a folded secret is one walk over a keyboard with a letter in it. Digits alone are left to the lines.
func walked(text []rune) bool {
	const least = 6
	if len(text) < least || walk(text) < len(text) {
		return false
	}
	return slices.ContainsFunc(text, unicode.IsLetter)
}
