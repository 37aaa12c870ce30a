package choice

import (
	"slices"
	"strings"
	"unicode"
)

const (
	// loose is how many signs, in front and behind together, do not make a listed value a new one.
	loose = 8
	// budget is what the pieces may cost of which a secret is put together, in quarters of a piece: three pieces, or two with
	// four short words between, or one with eight. More words than that are a passphrase.
	budget     = 12
	costPiece  = 4 // a word, a number, a walk, a blank or other sign between two words
	costShort  = 1 // a word of shortWords
	widestJoin = 64
)

// shortWords are the words between words, English, Spanish and Italian. They count little, and are no secret alone.
const shortWords list = "a\nal\nanche\nand\nare\nche\ncon\nde\ndei\ndel\ndella\ndi\ne\nel\nella\nen\nes\nfor\ngli\ni\nil\n" +
	"in\nio\nis\nit\nla\nlas\nle\nlo\nlos\nma\nme\nmi\nmia\nmio\nmis\nmy\nnel\nno\nnon\no\nof\non\npara\n" +
	"per\npor\nque\nse\nsei\nsi\nsono\nsoy\nsu\nte\nthat\nthe\nthis\nti\nto\ntu\ntua\ntuo\nun\nuna\nuno\n" +
	"we\ny\nyo\nyou\nyour\n"

// A joiner looks for a way to write one secret as pieces put together.
type joiner struct {
	text []rune
	// plain are the text with the letters for which digits and signs stand, p4ssw0rd and pa$$word. A one stands for i or l.
	plain [2][]rune
	words [][]rune // the caller's
	// least holds, for each place, cost so far and what came so far, the fewest signs left over in front.
	least [widestJoin + 1][budget + 1][3]int8
}

// What came so far.
const (
	noWord = iota
	aWord  // a word, and perhaps other pieces
	aSign  // the same, and now a sign that another piece has to follow
)

// nothing is what no pieces lead to.
func nothing() [3]int8 { return [3]int8{loose + 1, loose + 1, loose + 1} }

// joined reports whether a folded secret is pieces put together: listed words, the caller's words, numbers that are years or
// dates, and runs and walks over keys; with up to eight signs left over in front and behind. One piece has to be a word or four
// letters of a walk: digits alone are not looked at. The work grows with the secret's length, at most widestJoin characters.
func joined(text []rune, words [][]rune) bool {
	n := len(text)
	if n > widestJoin || !slices.ContainsFunc(text, unicode.IsLetter) {
		return false
	}
	j := &joiner{text: text, words: words}
	j.plain[0], j.plain[1] = unleet(text, 'i'), unleet(text, 'l')
	for i := range j.least {
		for cost := range j.least[i] {
			j.least[i][cost] = nothing()
		}
	}
	front, back := signs(text)
	for i := range n {
		if i <= front && i <= loose {
			j.least[i][0][noWord] = int8(i)
		}
		if j.reached(i) {
			j.step(i)
		}
	}
	for i := max(0, n-min(back, loose)); i <= n; i++ {
		for cost := range j.least[i] {
			if int(j.least[i][cost][aWord])+n-i <= loose {
				return true
			}
		}
	}
	return false
}

// signs returns how many characters at the beginning and at the end of a text with a letter are no letters.
func signs(text []rune) (front, back int) {
	for !unicode.IsLetter(text[front]) {
		front++
	}
	for !unicode.IsLetter(text[len(text)-1-back]) {
		back++
	}
	return front, back
}

func (j *joiner) reached(i int) bool {
	for cost := range j.least[i] {
		if j.least[i][cost] != nothing() {
			return true
		}
	}
	return false
}

// add notes that a piece of the given length begins at i.
func (j *joiner) add(i, length, price int, word bool) {
	to := &j.least[i+length]
	for cost := price; cost <= budget; cost++ {
		for came, from := range j.least[i][cost-price] {
			if word || came == aSign {
				came = aWord
			}
			to[cost][came] = min(to[cost][came], from)
		}
	}
}

// sign notes that the sign at i stands between two pieces.
func (j *joiner) sign(i int) {
	for cost := costPiece; cost <= budget; cost++ {
		j.least[i+1][cost][aSign] = min(j.least[i+1][cost][aSign], j.least[i][cost-costPiece][aWord])
	}
}

// step adds the pieces that begin at i.
func (j *joiner) step(i int) {
	rest := j.text[i:]
	commonWords.prefixes(rest, func(length int) { j.add(i, length, costPiece, true) })
	for _, plain := range j.plain {
		commonWords.prefixes(plain[min(i, len(plain)):], func(length int) {
			if disguised(rest[:length], plain[i:i+length]) {
				j.add(i, length, costPiece, true)
			}
		})
	}
	shortWords.prefixes(rest, func(length int) { j.add(i, length, costShort, false) })
	for _, w := range j.words {
		if len(w) <= len(rest) && slices.Equal(w, rest[:len(w)]) {
			j.add(i, len(w), costPiece, true)
		}
	}
	for length := run(rest); length >= 3; length-- {
		j.add(i, length, costPiece, letters(rest[:length]) >= 4)
	}
	for length := walk(rest); length >= 5; length-- {
		j.add(i, length, costPiece, letters(rest[:length]) >= 4)
	}
	for _, length := range [...]int{4, 6, 8} {
		if length <= len(rest) && number(string(rest[:length])) {
			j.add(i, length, costPiece, false)
		}
	}
	if !unicode.IsLetter(rest[0]) && !unicode.IsDigit(rest[0]) {
		j.sign(i)
	}
}

// number reports whether digits are a year or a date of six or eight.
func number(digits string) bool {
	return len(digits) == 4 && dated(digits, "yyyy") || len(digits) > 4 && date(digits)
}

func letters(text []rune) int {
	n := 0
	for _, c := range text {
		if unicode.IsLetter(c) {
			n++
		}
	}
	return n
}

// unleet returns the text with letters for the digits and signs that look like them, or nothing if it has none of these. A one
// and an exclamation mark become the given letter.
func unleet(text []rune, one rune) []rune {
	const from, to = "03457@$€", "oeastase"
	plain := slices.Clone(text)
	for i, c := range plain {
		if at := strings.IndexRune(from, c); at >= 0 {
			plain[i] = rune(to[at])
		} else if c == '1' || c == '!' {
			plain[i] = one
		}
	}
	if slices.Equal(plain, text) || one == 'l' && !slices.ContainsFunc(text, func(c rune) bool { return c == '1' || c == '!' }) {
		return nil
	}
	return plain
}

// disguised reports whether a piece is a word in which at most half of the letters are written as something else.
func disguised(piece, word []rune) bool {
	n := letters(piece)
	return 2*n >= len(piece) && !slices.Equal(piece, word)
}
