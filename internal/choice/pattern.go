package choice

import (
	"strings"
	"unicode/utf8"
)

// repeated reports whether a folded secret has few different characters or is one piece over and over. Few are: 2 of 4 to
// 7 characters, 3 of 8 to 11, 4 of 12 and more.
func repeated(text []rune) bool {
	n := len(text)
	if distinct(text) <= min(1+n/4, 4) {
		return true
	}
	for period := 1; period <= n/2; period++ {
		// The last repetition may be cut short, "abcabcab", if two are whole.
		same := true
		for i := period; i < n && same; i++ {
			same = text[i] == text[i-period]
		}
		if same {
			return true
		}
	}
	return false
}

func distinct(text []rune) int {
	seen := make(map[rune]bool, 8)
	for _, c := range text {
		seen[c] = true
	}
	return len(seen)
}

// keyLines are the lines on which a finger walks, on a telephone's keypad and on English, Italian and Spanish keyboards.
// Each is walked in both directions. The last two keypad lines go round, from any corner.
var keyLines = [...]string{
	"1234567890", "0123456789", "147", "2580", "369", "159", "357", "13971397", "26842684",
	"qwertyuiop", "asdfghjkl;'", "zxcvbnm,./", "asdfghjklñ", "asdfghjklòàù", "zxcvbnm,.-",
	"1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/",
	"!@#$%^&*()", "!\"·$%&/()=", "!\"£$%&/()=",
}

// sequence reports whether a folded secret is made of runs of three or more characters that follow each other, save for
// one character in six, two in eleven and so on: 123456, abcdef12, 987qwe, 2468. Also whether its characters at even and at odd
// places are such runs each: 1a2b3c, 112233.
func sequence(text []rune) bool {
	n := len(text)
	if covered(text) >= n-(n-1)/5 {
		return true
	}
	if n < 6 {
		return false
	}
	var halves [2][]rune
	for i, c := range text {
		halves[i%2] = append(halves[i%2], c)
	}
	return covered(halves[0]) == len(halves[0]) && covered(halves[1]) == len(halves[1])
}

// covered returns how many characters lie in runs of at least three, with the runs laid so that they cover most.
func covered(text []rune) int {
	n := len(text)
	best := make([]int, n+1)
	for i := n - 1; i >= 0; i-- {
		best[i] = best[i+1]
		for length := run(text[i:]); length >= 3; length-- {
			best[i] = max(best[i], length+best[i+length])
		}
	}
	return best[0]
}

// run returns the length of the longest run that text begins with; 1 or 2 say that there is none.
func run(text []rune) int {
	if len(text) < 3 {
		return len(text)
	}
	length := count(text)
	for _, line := range keyLines {
		length = max(length, forwards(text, line), backwards(text, line))
	}
	return length
}

// count returns how many characters at the beginning of text follow each other at one distance of at most two: the same
// character, the next one or the next but one, up or down, with 0 after 9 and 9 before 0.
func count(text []rune) int {
	step, ok := distance(text[0], text[1])
	if !ok {
		return 1
	}
	n := 2
	for ; n < len(text); n++ {
		if next, ok := distance(text[n-1], text[n]); !ok || next != step {
			break
		}
	}
	return n
}

func distance(a, b rune) (int, bool) {
	step := int(b) - int(a)
	switch {
	case a >= '0' && a <= '9' && b >= '0' && b <= '9':
		step = (step+15)%10 - 5 // into -5..4
	case a >= 'a' && a <= 'z' && b >= 'a' && b <= 'z':
	default:
		return 0, a == b
	}
	return step, step >= -2 && step <= 2
}

// forwards returns how many characters at the beginning of text lie on the line one after the other.
func forwards(text []rune, line string) int {
	at := strings.IndexRune(line, text[0])
	if at < 0 {
		return 0
	}
	n := 0
	for _, key := range line[at:] {
		if n == len(text) || text[n] != key {
			break
		}
		n++
	}
	return n
}

// backwards is forwards from the other end of the line.
func backwards(text []rune, line string) int {
	if !strings.ContainsRune(line, text[0]) {
		return 0
	}
	n := 0
	for line != "" && n < len(text) {
		key, size := utf8.DecodeLastRuneInString(line)
		line = line[:len(line)-size]
		if text[n] == key {
			n++
		} else if n > 0 {
			break
		}
	}
	return n
}
