package choice

import (
	"math/bits"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	maxPieces = 64 // pieces of personal data that are looked at
	maxPiece  = 64 // bytes of a piece that are looked at
	maxItems  = 12 // renderings of one piece that is no date
)

// private reports whether a folded secret gives away, forwards or backwards, a piece of what is known about the subject.
// It does if
//
//   - it holds a whole name, number or rendering of a date, of at least 3 characters (4 in secrets of 9 to 11, 5 in longer
//     ones), or
//   - it holds a run of at least 4 characters of one (5 in secrets of 9 to 11, 6 in longer ones), or
//   - runs of at least 4 make up half of it or more.
//
// The lengths grow with the secret's, because in a long passphrase a short run of somebody's name is there by chance, and
// the rest of it is still to be guessed. Signs and blanks between the characters count for nothing.
func private(text []rune, personal []string) bool {
	length := len(text)
	text = slices.DeleteFunc(slices.Clone(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	backwards := slices.Clone(text)
	slices.Reverse(backwards)
	forth, back := newMatcher(text, length), newMatcher(backwards, length)
	for _, piece := range personal[:min(len(personal), maxPieces)] {
		for _, item := range renderings(piece) {
			if forth.match(item) || back.match(item) {
				return true
			}
		}
	}
	return false
}

// A matcher looks for pieces in one secret. It remembers what of it was found in any of them.
type matcher struct {
	length     int // of the text
	whole, run int // least lengths that refuse the secret at once; whole < run
	found      set
	// ascii and others hold for each character the places at which the text has it.
	ascii  [128]set
	others map[rune]set
}

const (
	least  = 4 // the length of a run that counts towards a half
	widest = 6 // the greatest length that refuses a secret at once
)

// newMatcher returns a matcher for a text, what is left of a secret of so many characters.
func newMatcher(text []rune, length int) *matcher {
	m := &matcher{length: len(text), others: map[rune]set{}}
	switch {
	case length <= 8:
		m.whole, m.run = 3, 4
	case length <= 11:
		m.whole, m.run = 4, 5
	default:
		m.whole, m.run = 5, widest
	}
	for i, c := range text {
		if c < 128 {
			m.ascii[c] = m.ascii[c].with(i)
		} else {
			m.others[c] = m.others[c].with(i)
		}
	}
	return m
}

// match looks for an item in the text and reports whether that refuses it. It takes a few steps for each character of the
// item, however often text and item are alike.
func (m *matcher) match(item []rune) bool {
	// ends[k] holds the places of the text at which a run of k characters ends that also ends at the item's current one.
	var ends [widest + 1]set
	for _, c := range item {
		here := m.places(c)
		if here.empty() {
			ends = [widest + 1]set{}
			continue
		}
		for k := m.run; k > 1; k-- {
			ends[k] = ends[k-1].next().and(here)
		}
		ends[1] = here
		if !ends[m.run].empty() {
			return true
		}
		for k := range least { // a run of exactly four, or the beginning of a longer one
			m.found = m.found.or(ends[least].back(k))
		}
	}
	if n := len(item); n >= m.whole && n < m.run && !ends[n].empty() {
		return true
	}
	n := m.found.count()
	return n > 0 && 2*n >= m.length
}

func (m *matcher) places(c rune) set {
	if c < 128 {
		return m.ascii[c]
	}
	return m.others[c]
}

// A set holds places from 0 to 127, which is as long as a folded secret may be.
type set struct{ low, high uint64 }

func (s set) with(i int) set {
	if i < 64 {
		return set{s.low | 1<<i, s.high}
	}
	return set{s.low, s.high | 1<<(i-64)}
}

func (s set) next() set         { return set{s.low << 1, s.high<<1 | s.low>>63} }
func (s set) back(n int) set    { return set{s.low>>n | s.high<<(64-n), s.high >> n} }
func (s set) and(other set) set { return set{s.low & other.low, s.high & other.high} }
func (s set) or(other set) set  { return set{s.low | other.low, s.high | other.high} }
func (s set) empty() bool       { return s.low|s.high == 0 }
func (s set) count() int        { return bits.OnesCount64(s.low) + bits.OnesCount64(s.high) }

// renderings returns the ways in which a piece may turn up in a secret, folded. A date, written as 2006-01-02, turns up
// in every order of its parts; anything else as its words, all of them joined, and its digits alone. Of an e-mail
// address only what is before the @ counts: the rest is shared by millions.
func renderings(piece string) [][]rune {
	piece = piece[:min(len(piece), maxPiece)]
	if day, err := time.Parse(time.DateOnly, strings.TrimSpace(piece)); err == nil {
		var items [][]rune
		for _, layout := range [...]string{
			"02012006", "01022006", "20060102", "20060201", "020106", "010206", "060102", "060201",
			"0102", "0201", "2006", "012006", "200601", "212006", "122006", "2106", "1206",
		} {
			items = append(items, []rune(day.Format(layout)))
		}
		return items
	}
	piece, _, _ = strings.Cut(piece, "@")
	words := strings.FieldsFunc(fold(piece), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	joined := strings.Join(words, "")
	digits := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, joined)
	var items [][]rune
	for _, w := range append([]string{joined, digits}, words...) {
		item := []rune(w)
		if len(item) < 3 || len(items) == maxItems {
			continue
		}
		if len(items) == 0 || !slices.Equal(item, items[0]) { // a piece of one word is that word and all of them
			items = append(items, item)
		}
	}
	return items
}
