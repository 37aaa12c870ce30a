package answer_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/pin/rule"
)

func TestCheck(t *testing.T) {
	const subject = "RSSMRA85T10A562S"
	for _, tt := range []struct {
		typed, question string
		rule            rule.Rule
	}{
		// Real answers, however short.
		{"Li", "teacher", ""},
		{"Bo", "pet", ""},
		{"blue", "colour", ""},
		{"\u674e", "teacher", ""},             // Li, in one character
		{"\uc774", "teacher", ""},             // Lee, in one syllable
		{"\u660e\u660e", "pet", ""},           // Mingming
		{"\u092e\u093e\u0901", "teacher", ""}, // mother: one letter and its vowel
		{"12", "house", ""},
		{"1974", "year", ""},
		{"Nonna Papera", "friend", ""},
		{"Noemi", "friend", ""},
		{"S\u00ed o no", "band", ""},
		{"Via Roma 123", "street", ""},

		{"x", "pet", rule.Length},
		{"\u00e9", "pet", rule.Length},
		{"7.", "pet", rule.Length},
		{"???", "pet", rule.Characters},
		{"\U0001f436\U0001f436", "pet", rule.Characters},
		{"\u0301\u0302", "pet", rule.Characters},
		{"xx", "pet", rule.Repeated},
		{"A a a", "pet", rule.Repeated},
		{"1.1.1", "pet", rule.Repeated},
		{"123", "pet", rule.Common},
		{"8901", "pet", rule.Common},
		{"4321", "pet", rule.Common},
		{"N/A", "pet", rule.Common},
		{"No lo s\u00e9", "pet", rule.Common},
		{"I don\u2019t know", "pet", rule.Common},
		{"PASSWORD!", "pet", rule.Common},
		{"Contrase\u00f1a", "pet", rule.Common},
		{"first pet", "first-pet", rule.Question},
		{"Firstpet", "first-pet", rule.Question},
		{"Pet", "first-pet", rule.Question},
		{"Ni\u00f1o", "primer_ni\u00f1o", rule.Question},
		{"to", "place-to-be", ""}, // too short a word to say anything
		{"rssmra85t10a562s", "pet", rule.Personal},
		{"RSSMRA 85T10", "pet", rule.Personal},
		{"85t1", "pet", rule.Personal},
		{"85t", "pet", ""},
		{"I am RSSMRA85T10A562S", "pet", rule.Personal},
	} {
		normal, err := answer.Normalise(answer.Version, tt.typed)
		require.NoError(t, err, "%+q", tt.typed)
		err = answer.Check(normal, tt.question, subject)
		require.Equal(t, tt.rule, ruleOf(t, err), "%+q", tt.typed)
		if err != nil {
			require.Equal(t, "answer: refused: "+string(tt.rule), err.Error())
		}
	}
	require.NoError(t, answer.Check("blue", "colour", ""), "a subject without letters and digits is in no answer")
}

func TestAlike(t *testing.T) {
	require.True(t, answer.Alike("jos\u00e9", "jose"))
	require.True(t, answer.Alike("st. john's", "st johns"))
	require.False(t, answer.Alike("blue", "green"))
}

// Each value of the list is one that Check comes to: spelled as it compares.
func TestCommonAnswers(t *testing.T) {
	lines := strings.Fields(answer.CommonAnswers)
	require.Greater(t, len(lines), 60)
	for i, line := range lines {
		require.Equal(t, rule.Common, ruleOf(t, answer.Check(line, "", "")), line)
		require.Equal(t, line, answer.Squash(line))
		if i > 0 {
			require.Less(t, lines[i-1], line, "in order, and none twice")
		}
	}
}
