package choice

import (
	"slices"
	"unicode"
)

// common reports whether a folded secret is what guessers try first: a listed value, as it stands, with signs between its
// letters or up to eight around it, or listed words put together. NIST asks to compare whole values, not substrings; but a
// refused "password" becomes "password12345678" and "mypassword", and guessing programs put these together first. A
// passphrase that holds common words among others passes.
func common(folded string, words []string) bool {
	text := []rune(folded)
	if listed(folded) || listed(string(squeezed(text))) || dressed(text) {
		return true
	}
	own := make([][]rune, 0, 2*len(words))
	for _, w := range words {
		w := []rune(fold(w))
		for _, w := range [][]rune{w, squeezed(w)} {
			if slices.Equal(w, text) {
				return true
			}
			if len(w) >= 3 {
				own = append(own, w)
			}
		}
	}
	return joined(text, own)
}

func listed(value string) bool { return commonValues.has(value) || commonWords.has(value) }

// dressed reports whether up to eight signs around it are all that a secret has besides a listed value of three letters and
// more.
func dressed(text []rune) bool {
	if letters(text) < 3 {
		return false
	}
	front, back := signs(text)
	for i := range min(front, loose) + 1 {
		for k := range min(back, loose-i) + 1 {
			if listed(string(text[i : len(text)-k])) {
				return true
			}
		}
	}
	return false
}

// squeezed returns the letters and digits of a text.
func squeezed(text []rune) []rune {
	return slices.DeleteFunc(slices.Clone(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}
