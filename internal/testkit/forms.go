package testkit

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A text of fewer bytes turns up by chance: a word in what is random, or what an encoding makes of it in other such text.
const (
	shortWord = 6
	shortCode = 8
)

// parts returns what of a secret is to be found nowhere: the whole, and the verifier of a token, as text and as bytes.
func parts(secret string) []string {
	all := []string{secret}
	if _, verifier, ok := strings.Cut(secret, "."); ok && len(verifier) >= 2*shortCode {
		all = append(all, verifier)
		if raw, err := base64.RawURLEncoding.DecodeString(verifier); err == nil {
			all = append(all, string(raw))
		}
	}
	return all
}

// bare returns a text as it is, as it is compared, and without what groups its characters.
func bare(s string) []string {
	return []string{s, compact(s), strings.ToUpper(s), strings.ToLower(s)}
}

// encoded returns the forms in which programs write a text: for machines, in quotes, and as bytes.
func encoded(s string) []string {
	b := []byte(s)
	quoted, _ := json.Marshal(s)
	inner := func(text string) string { return text[1 : len(text)-1] }
	all := []string{
		hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), fmt.Sprintf("% x", b),
		inner(fmt.Sprint(b)), strings.TrimPrefix(inner(fmt.Sprintf("%#v", b)), "]byte{"),
		inner(strconv.Quote(s)), inner(strconv.QuoteToASCII(s)), inner(string(quoted)),
		url.QueryEscape(s), url.PathEscape(s),
	}
	all = append(all, amid(s, 3, 4, base64.StdEncoding.EncodeToString)...)
	all = append(all, amid(s, 3, 4, base64.URLEncoding.EncodeToString)...)
	return append(all, amid(s, 5, 8, base32.StdEncoding.EncodeToString)...)
}

// amid returns what of a text is the same wherever it stands among other bytes, in an encoding of in bytes as out characters.
func amid(s string, in, out int, encode func([]byte) string) []string {
	var all []string
	for before := range in {
		after := (in - (before+len(s))%in) % in
		text := encode([]byte(strings.Repeat("\x00", before) + s + strings.Repeat("\x00", after)))
		first, last := (before*out+in-1)/in, len(text)-(after*out+in-1)/in
		if last > first {
			all = append(all, text[first:last])
		}
	}
	return all
}

// lower returns a text with small letters, without a change to other bytes.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c - 'A' + 'a'
		}
	}
	return string(b)
}

// compact returns a text without what groups characters.
func compact(s string) string { return strings.NewReplacer(" ", "", "-", "").Replace(s) }

// needles are the forms of secrets, each with the secret, by what they begin with.
type needles struct {
	exact, folded map[string][][2]string
	// alone are short texts and numbers, which are looked for only where they are no part of a longer one, such as a time.
	alone [][2]string
}

func newNeedles(secrets []string) needles {
	n := needles{exact: make(map[string][][2]string), folded: make(map[string][][2]string)}
	add := func(to map[string][][2]string, form, secret string) {
		to[form[:shortWord]] = append(to[form[:shortWord]], [2]string{form, secret})
	}
	for _, secret := range secrets {
		for _, part := range parts(secret) {
			plain := compact(part)
			single := len(plain) < shortWord || len(plain) < 2*shortCode && number(plain)
			for _, form := range bare(part) {
				if single {
					n.alone = append(n.alone, [2]string{form, secret})
				} else {
					add(n.folded, lower(form), secret)
				}
			}
			for _, form := range encoded(part) {
				if form != part && len(form) >= shortCode { // quotes leave most texts as they are
					add(n.exact, form, secret)
				}
			}
		}
	}
	return n
}

// find returns the secrets that are in a text, each with the form in which it is there.
func (n needles) find(text string) map[string]string {
	found := make(map[string]string)
	scan := func(text string, of map[string][][2]string) {
		for i := range len(text) - shortWord + 1 {
			for _, needle := range of[text[i:i+shortWord]] {
				if strings.HasPrefix(text[i:], needle[0]) {
					found[needle[1]] = needle[0]
				}
			}
		}
	}
	folded := lower(text)
	scan(text, n.exact)
	scan(folded, n.folded)
	scan(compact(folded), n.folded)
	for _, needle := range n.alone {
		if alone(text, needle[0]) {
			found[needle[1]] = needle[0]
		}
	}
	return found
}

// alone reports whether a form is in a text and is no part of a longer word, of a longer number such as a time, or of a long
// hexadecimal text, in which numbers turn up by chance. A number of six digits or more may stand amid letters.
func alone(text, form string) bool {
	beside := word
	if number(form) && len(form) >= shortWord { // three digits stand amid the letters of random names
		beside = digit
	}
	for at := 0; ; at++ {
		i := strings.Index(text[at:], form)
		if i < 0 {
			return false
		}
		at += i
		before, after := text[:at], text[at+len(form):]
		hexadecimal := endsIn(before, hexDigit)+beginsWith(after, hexDigit) >= 3*shortCode
		if endsIn(before, beside) == 0 && beginsWith(after, beside) == 0 && !hexadecimal {
			return true
		}
	}
}

// beginsWith returns how many bytes of a sort a text begins with.
func beginsWith(text string, sort func(byte) bool) (n int) {
	for n < len(text) && sort(text[n]) {
		n++
	}
	return n
}

// endsIn returns how many bytes of a sort a text ends in.
func endsIn(text string, sort func(byte) bool) (n int) {
	for n < len(text) && sort(text[len(text)-1-n]) {
		n++
	}
	return n
}

func number(s string) bool { return beginsWith(s, digit) == len(s) }

func digit(b byte) bool { return '0' <= b && b <= '9' }

func word(b byte) bool { return digit(b) || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' }

func hexDigit(b byte) bool { return digit(b) || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F' }
