package answer_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/pin/rule"
)

// ruleOf returns the rule that an error names, "" for none.
func ruleOf(t testing.TB, err error) rule.Rule {
	t.Helper()
	if err == nil {
		return ""
	}
	broken, ok := errors.AsType[*answer.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	return broken.Rule
}

func TestNormalise(t *testing.T) {
	for _, tt := range []struct {
		typed, want string
		rule        rule.Rule
	}{
		// What has to be one answer, and what must stay two.
		{"  JOSE\u0301  MARIA", "jos\u00e9 maria", ""},
		{"jos\u00e9 maria", "jos\u00e9 maria", ""},
		{"\ufb01ore", "fiore", ""},
		{"Stra\u00dfe", "strasse", ""},
		{"STRASSE", "strasse", ""},
		{"STRA\u1e9eE", "strasse", ""},
		{"\u0130stanbul", "i\u0307stanbul", ""},
		{"Istanbul", "istanbul", ""},
		{"a\u00f1o", "a\u00f1o", ""},
		{"ano", "ano", ""},
		{"\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c3", ""},
		{"\u03bf\u03b4\u03cc\u03c2", "\u03bf\u03b4\u03cc\u03c3", ""},                           // the other small sigma
		{"\uff2d\uff41\uff52\uff49\uff41 \uff11", "maria 1", ""},                               // full width
		{"\u1112\u1161\u11ab", "\ud55c", ""},                                                   // Korean typed letter by letter
		{"\u0645\u062f\u0631\u0633\u0629", "\u0645\u062f\u0631\u0633\u0629", ""},               // Arabic
		{"\u0924\u093e\u091c \u092e\u0939\u0932", "\u0924\u093e\u091c \u092e\u0939\u0932", ""}, // Hindi: marks stay
		{"L\u2019Aquila", "l'aquila", ""},                                                      // as telephones write it
		{"L\u02bcAquila", "l'aquila", ""},
		{"Jean\u2013Luc", "jean-luc", ""},
		{"a\u00a0\u2003\u3000b ", "a b", ""},
		{"an\u200ba\u00ad\ufe0f\u200e", "ana", ""}, // nothing to be seen
		{"\u1fb3\u0345\u0313", "\u1f00\u03b9\u03b9", ""},
		{"St. John's!", "st. john's!", ""},
		{"\u2121", "tel", ""}, // capitals that come out of one sign
		{"7", "7", ""},

		{"", "", rule.Length},
		{"   ", "", rule.Length},
		{"\u200b\u3164", "", rule.Length},
		{strings.Repeat("a", 128), strings.Repeat("a", 128), ""},
		{strings.Repeat("a", 129), "", rule.Length},
		{strings.Repeat(" ", 128) + "a", "", rule.Length},
		{strings.Repeat("\ufdfa", 42), "", rule.Length}, // 126 bytes typed, 1,386 in their form
		{"tab\there", "", rule.Characters},
		{"line\n", "", rule.Characters},
		{"nul\x00", "", rule.Characters},
		{"\u0085", "", rule.Characters},
		{"\u2028", "", rule.Characters},
		{"\xff\xfe", "", rule.Characters},
		{"\ue000", "", rule.Characters},            // private use
		{"unassigned \u0378", "", rule.Characters}, // its form may be another one tomorrow
	} {
		got, err := answer.Normalise(answer.Version, tt.typed)
		require.Equal(t, tt.rule, ruleOf(t, err), "%+q", tt.typed)
		require.Equal(t, tt.want, got, "%+q", tt.typed)
	}
}

// A hash that a later release made is not taken for one of this form.
func TestUnknownVersion(t *testing.T) {
	for _, version := range []int{-1, 0, 2, 99} {
		got, err := answer.Normalise(version, "blue")
		require.ErrorIs(t, err, answer.ErrVersion)
		require.Empty(t, got)
	}
}

// However an answer is typed, it is the same one; and its form stays as it is.
func TestTypedAnotherWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zà-öø-ÿñß]{1,9}`), 1, 5).Draw(t, "words")
		want, err := answer.Normalise(answer.Version, strings.Join(words, " "))
		if err != nil {
			t.Fatal(err)
		}
		var typed strings.Builder
		for i, w := range words {
			if i > 0 {
				typed.WriteString(rapid.SampledFrom([]string{" ", "  ", "\u00a0", " \u2003"}).Draw(t, "blank"))
			}
			for _, c := range w {
				if rapid.Bool().Draw(t, "capital") {
					c = unicode.ToUpper(c)
				}
				typed.WriteRune(c)
				if rapid.IntRange(0, 9).Draw(t, "joiner") == 0 {
					typed.WriteRune('\u200d')
				}
			}
		}
		got, err := answer.Normalise(answer.Version, typed.String())
		if err != nil || got != want {
			t.Fatalf("%+q became %+q (%v), not %+q", typed.String(), got, err, want)
		}
		if again, err := answer.Normalise(answer.Version, got); err != nil || again != got {
			t.Fatalf("%+q became %+q (%v)", got, again, err)
		}
	})
}

// Normalising is idempotent and bounded, and what it gives can be checked.
func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{
		"  JOSE\u0301  MARIA", "\ufb01", "Stra\u00dfe", "\u0130stanbul", "L\u2019Aquila", "\u1112\u1161\u11ab", "\u212b", "a\u3000b", "\ufdfa", "\u0344\u0345",
		"\u1fb3\u0345\u0313", "\u0149", "\u00b4a", "a\u034fb", "\uffa0\u3164", "\u2126\u0338", "\u2212\u0338", "\xff", "\u200d", "ſ", "ı", "", "Ꭰ\uab70",
		strings.Repeat("a\u0301", 40) + "\u0301", "e" + strings.Repeat("\u0301", 60), "\U0001d15e", "\u0f73\u0f71",
	} {
		f.Add(seed, "colour", "RSSMRA85T10A562S")
	}
	f.Fuzz(func(t *testing.T, typed, question, subject string) {
		got, err := answer.Normalise(answer.Version, typed)
		if err != nil {
			if got != "" {
				t.Fatal("something came with the error")
			}
			ruleOf(t, err)
			return
		}
		if got == "" || len(got) > 128 || !utf8.ValidString(got) {
			t.Fatalf("%+q", got)
		}
		if strings.TrimSpace(got) != got || strings.Contains(got, "  ") || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("%+q", got)
		}
		if again, err := answer.Normalise(answer.Version, got); err != nil || again != got {
			t.Fatalf("%+q became %+q (%v)", got, again, err)
		}
		if padded, err := answer.Normalise(answer.Version, " "+typed); err == nil && padded != got {
			t.Fatalf("%+q with a blank became %+q", typed, padded)
		}
		if !answer.Alike(got, got) {
			t.Fatal("not like itself")
		}
		ruleOf(t, answer.Check(got, question, subject))
	})
}
