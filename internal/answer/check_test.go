package answer_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/answer"
)

func TestCheck(t *testing.T) {
	const subject = "RSSMRA85T10A562S"
	for _, tt := range []struct {
		typed, question string
		rule            answer.Rule
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

		{"x", "pet", answer.RuleLength},
		{"\u00e9", "pet", answer.RuleLength},
		{"7.", "pet", answer.RuleLength},
		{"???", "pet", answer.RuleCharacters},
		{"\U0001f436\U0001f436", "pet", answer.RuleCharacters},
		{"\u0301\u0302", "pet", answer.RuleCharacters},
		{"xx", "pet", answer.RuleRepeated},
		{"A a a", "pet", answer.RuleRepeated},
		{"1.1.1", "pet", answer.RuleRepeated},
		{"123", "pet", answer.RuleCommon},
		{"8901", "pet", answer.RuleCommon},
		{"4321", "pet", answer.RuleCommon},
		{"N/A", "pet", answer.RuleCommon},
		{"No lo s\u00e9", "pet", answer.RuleCommon},
		{"I don\u2019t know", "pet", answer.RuleCommon},
		{"PASSWORD!", "pet", answer.RuleCommon},
		{"Contrase\u00f1a", "pet", answer.RuleCommon},
		{"first pet", "first-pet", answer.RuleQuestion},
		{"Firstpet", "first-pet", answer.RuleQuestion},
		{"Pet", "first-pet", answer.RuleQuestion},
		{"Ni\u00f1o", "primer_ni\u00f1o", answer.RuleQuestion},
		{"to", "place-to-be", ""}, // too short a word to say anything
		{"rssmra85t10a562s", "pet", answer.RulePersonal},
		{"RSSMRA 85T10", "pet", answer.RulePersonal},
		{"85t1", "pet", answer.RulePersonal},
		{"85t", "pet", ""},
		{"I am RSSMRA85T10A562S", "pet", answer.RulePersonal},
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
		require.Equal(t, answer.RuleCommon, ruleOf(t, answer.Check(line, "", "")), line)
		require.Equal(t, line, answer.Squash(line))
		if i > 0 {
			require.Less(t, lines[i-1], line, "in order, and none twice")
		}
	}
}
