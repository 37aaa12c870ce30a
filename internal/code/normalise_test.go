package code_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/internal/code"
)

const crockford code.Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestNormalise(t *testing.T) {
	for _, c := range []struct {
		a           code.Alphabet
		typed, want string // want "" is refused
	}{
		// As it is, and case.
		{code.Unambiguous, "K7PMWXY2", "K7PMWXY2"},
		{code.Unambiguous, "k7pmwxy2", "K7PMWXY2"},
		{"0123456789abcdef", "DEAD BEEF", "deadbeef"},
		{"abc!", "A!b", "a!b"},

		// Blanks.
		{code.Unambiguous, "K7PM WXY2", "K7PMWXY2"},
		{code.Unambiguous, "  K7PM   WXY2\t\r\n", "K7PMWXY2"},
		{code.Unambiguous, "K\v7\fP\u0085M\u00a0W\u1680X\u2000Y\u20092", "K7PMWXY2"},
		{code.Unambiguous, "K7PM\u2007WX\u202fY\u205f2\u3000", "K7PMWXY2"}, // figure, narrow, mathematical, ideographic
		{code.Unambiguous, "K7PM\u2028WXY2\u2029", "K7PMWXY2"},
		{code.Unambiguous, "\ufeffK7PM\u200bWXY2\u2060", "K7PMWXY2"}, // invisible ones
		// Hyphens and dashes.
		{code.Unambiguous, "K7PM-WXY2", "K7PMWXY2"},
		{code.Unambiguous, "-K-7--P-M-WXY2-", "K7PMWXY2"},
		{code.Unambiguous, "K\u20107\u2011P\u2012M\u2013W\u2014X\u2015Y\u22122", "K7PMWXY2"},
		{code.Unambiguous, "K7PM\u00adWXY2", "K7PMWXY2"},
		{code.Unambiguous, "K7PM\uff0dWX\ufe63Y\u20432", "K7PMWXY2"},
		// Compatibility forms.
		{code.Unambiguous, "Ｋ７ＰＭ　ＷＸＹ２", "K7PMWXY2"},
		{code.Unambiguous, "ｋ７ｐｍ－ｗｘｙ２", "K7PMWXY2"},
		{code.Digits, "①²𝟑", "123"},
		{code.Unambiguous, "\u212a", "K"}, // the kelvin sign
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ﬁ", "FI"},

		// Look-alikes, where exactly one is in the alphabet.
		{code.Digits, "O1o23", "01023"},
		{code.Digits, "I l L i | 5", ""}, // a bar is not one
		{code.Digits, "IlLi5", "11115"},
		{code.Digits, "zZsSbB", "225588"},
		{code.Digits, "Ｏ", "0"},
		{crockford, "oO iI lL", "001111"},
		{crockford, "Z2S5B8", "Z2S5B8"}, // both are in it
		{crockford, "zsb", "ZSB"},
		{crockford, "U", ""},
		{code.Unambiguous, "ZSB", "258"},
		{code.Unambiguous, "zsb", "258"},
		{code.Unambiguous, "0", ""},
		{code.Unambiguous, "O", ""},
		{code.Unambiguous, "o", ""}, // none is in it
		{code.Unambiguous, "1", ""},
		{code.Unambiguous, "I", ""},
		{code.Unambiguous, "l", ""},
		{code.Letters20, "wdjb-mjht", "WDJBMJHT"}, // RFC 8628 section 6.1's
		{code.Letters20, "1", "L"},
		{code.Letters20, "I", "L"},
		{code.Letters20, "l", "L"},
		{code.Letters20, "i", "L"},
		{code.Letters20, "258", "ZSB"},
		{code.Letters20, "0", ""},
		{code.Letters20, "O", ""},
		{code.Letters20, "A", ""},
		{"IL", "1", ""}, // two are in it
		{"IL", "il", "IL"},
		{"il", "1", ""},
		{"lo", "1I0O", "lloo"},
		{"1o", "iL0", "11o"},
		{"01", "oiOIlL", "010111"},

		// Anything else.
		{code.Digits, "", ""},
		{code.Digits, " ", ""},
		{code.Digits, "---", ""},
		{code.Digits, "\u200b", ""},
		{code.Digits, "12a", ""},
		{code.Digits, "12.3", ""},
		{code.Digits, "12_3", ""},
		{code.Digits, "12,3", ""},
		{code.Digits, "+12", ""},
		{code.Digits, "12\x00", ""},
		{code.Digits, "12\x7f", ""},
		{code.Digits, "12\x1b", ""},
		{code.Digits, "12\xff", ""},
		{code.Digits, "\xef\xbc", ""},
		{code.Digits, "١٢٣", ""},
		{code.Digits, "१२", ""},        // digits, but no forms of ASCII's
		{code.Unambiguous, "К7РМ", ""}, // Cyrillic
		{code.Unambiguous, "Α", ""},    // Greek
		{code.Unambiguous, "é", ""},
		{code.Unambiguous, "A\u0301", ""},
		{code.Unambiguous, "A\u0338", ""},
		{code.Unambiguous, "A\u200dC", ""},
		{code.Unambiguous, "A\u202eC", ""}, // joiner, right-to-left override
		{code.Digits, "\u00a8", ""},        // NFKC makes it a blank and a mark
		{code.Digits, "🔑", ""},

		// Bounds.
		{code.Digits, strings.Repeat("1", 256), strings.Repeat("1", 256)},
		{code.Digits, strings.Repeat("1", 257), ""},
		{code.Digits, "1" + strings.Repeat(" ", 255), "1"},
		{code.Digits, "1" + strings.Repeat(" ", 256), ""},
		{code.Digits, strings.Repeat("\ufdfa", 85), ""},              // each becomes 18 characters
		{"HPA", strings.Repeat("㍱", 85), strings.Repeat("HPA", 85)},  // each becomes three symbols
		{"MIL.", strings.Repeat("㏕", 85), strings.Repeat("MIL", 85)}, //
		{"AM.", strings.Repeat("㏂", 85), ""},
		{"AM.", "㏂", "A.M."}, // each becomes four: 340

		// Alphabets that are none.
		{"", "1", ""},
		{"1", "1", ""},
		{"aA", "a", ""},
		{"a-", "a", ""},
		{"11", "1", ""},
	} {
		got, ok := c.a.Normalise(c.typed)
		assert.Equal(t, c.want, got, "%s: %q", c.a, c.typed)
		assert.Equal(t, c.want != "", ok, "%s: %q", c.a, c.typed)
	}
}

// Every code comes back from what people make of it on the way.
func TestNormaliseUndoesTyping(t *testing.T) {
	separators := []string{"", "", " ", "-", " - ", "\u2013", "\u00a0", "\t", "\u200b"}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom(alphabets).Draw(t, "alphabet")
		c := a.New(rapid.IntRange(1, 16).Draw(t, "length"))
		var typed strings.Builder
		for _, r := range c {
			typed.WriteString(rapid.SampledFrom(separators).Draw(t, "separator"))
			switch rapid.IntRange(0, 3).Draw(t, "form") {
			case 1:
				typed.WriteString(strings.ToLower(string(r)))
			case 2:
				typed.WriteString(strings.ToUpper(string(r)))
			case 3:
				typed.WriteRune(r - '!' + '\uff01') // full width
			default:
				typed.WriteRune(r)
			}
		}
		got, ok := a.Normalise(typed.String())
		if !ok || got != c {
			t.Fatalf("%q was typed for %q and read as %q, %v", typed.String(), c, got, ok)
		}
	})
}

// FuzzNormalise: what is accepted has only the alphabet's symbols and stays as it is when normalised again; what is refused
// gives nothing; codes that were issued come back as they are.
func FuzzNormalise(f *testing.F) {
	for _, typed := range []string{
		"K7PM-WXY2", "k7pm wxy2", "Ｋ７ＰＭ", "oO iI lL", "\ufeff12\u200b3", "12\xff", "١٢٣", "A\u0301",
		"ﬁ", "①²𝟑", "\ufdfa", "\u212a", "", "-",
	} {
		for _, a := range append(alphabets, crockford, "aA", "1") {
			f.Add(string(a), typed)
		}
	}
	f.Fuzz(func(t *testing.T, alphabet, typed string) {
		a := code.Alphabet(alphabet)
		got, ok := a.Normalise(typed)
		if !ok {
			if got != "" {
				t.Fatalf("refused %q, but returned %q", typed, got)
			}
		} else {
			if a.Validate() != nil || got == "" || strings.Trim(got, alphabet) != "" || !utf8.ValidString(typed) || len(typed) > 256 {
				t.Fatalf("%q accepted %q as %q", a, typed, got)
			}
			if again, ok := a.Normalise(got); !ok || again != got {
				t.Fatalf("%q: %q is then read as %q, %v", a, got, again, ok)
			}
		}
		if a.Validate() == nil {
			c := a.New(1 + len(typed)%20)
			if again, ok := a.Normalise(c); !ok || again != c {
				t.Fatalf("%q: issued %q, read as %q, %v", a, c, again, ok)
			}
		}
	})
}
