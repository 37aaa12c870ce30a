package knowledge_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/pin/rule"
)

// typed are answers as a citizen types them, by question.
func typed(pairs ...string) map[string]civicpin.Secret {
	answers := make(map[string]civicpin.Secret)
	for i := 0; i < len(pairs); i += 2 {
		answers[pairs[i]] = civicpin.NewSecret(pairs[i+1])
	}
	return answers
}

var choices = knowledge.Catalogue{
	Questions: []string{"teacher", "first-pet", "street", "song"}, // not in the order of the alphabet
	Images:    []string{"owl", "fox"},
}

// Answers come back in the catalogue's order, in the form that is hashed, and without a hash.
func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		name, image string
		answers     map[string]civicpin.Secret
		questions   []string
		texts       []string
	}{
		{"nothing", "", nil, nil, nil},
		{"an image", "fox", nil, nil, nil},
		{
			"answers", "", typed("first-pet", " Fido ", "teacher", "SEÑORA  Paz"),
			[]string{"teacher", "first-pet"},
			[]string{"señora paz", "fido"},
		},
		{
			"all", "owl", typed("song", "Volare", "street", "Via Roma", "first-pet", "Fido", "teacher", "Li"),
			choices.Questions,
			[]string{"li", "fido", "via roma", "volare"},
		},
	} {
		k, texts, question, err := choices.Choose(rosa, tc.image, tc.answers)
		require.NoError(t, err, tc.name)
		require.Empty(t, question, tc.name)
		require.Equal(t, tc.texts, texts, tc.name)
		want := &knowledge.Knowledge{Image: tc.image}
		for _, q := range tc.questions {
			want.Questions = append(want.Questions, knowledge.Answer{Question: q, Form: answer.Version})
		}
		require.Equal(t, want, k, tc.name)
	}
}

// Each rule has its question named: the first that is broken, in the catalogue's order.
func TestChooseRefuses(t *testing.T) {
	for _, tc := range []struct {
		name     string
		answers  map[string]civicpin.Secret
		question string
		rule     rule.Rule
	}{
		{"empty", typed("street", ""), "street", rule.Length},
		{"one letter", typed("street", "x"), "street", rule.Length},
		{"a control character", typed("street", "via\x00roma"), "street", rule.Characters},
		{"no letter", typed("street", "???"), "street", rule.Characters},
		{"one letter over and over", typed("street", "aaaa"), "street", rule.Repeated},
		{"what many put in", typed("street", "no lo sé"), "street", rule.Common},
		{"the question's own word", typed("first-pet", "Pet"), "first-pet", rule.Question},
		{"that word of another question", typed("street", "Pet", "song", "123"), "song", rule.Common},
		{"the subject's id", typed("song", "17 1234 5678"), "song", rule.Personal},
		{"a piece of it", typed("song", "7123"), "song", rule.Personal},
		{"twice", typed("teacher", "Anna", "song", "Anna"), "song", rule.Same},
		{"twice, for a guesser", typed("song", "Zoè!", "street", "zoe"), "song", rule.Same},
		{"twice, not side by side", typed("teacher", "Anna", "street", "Via Roma", "song", "anna"), "song", rule.Same},
		{"the first of two", typed("song", "x", "teacher", "aaaa"), "teacher", rule.Repeated},
		{"the first of three", typed("song", "x", "street", "???", "first-pet", "123"), "first-pet", rule.Common},
		{"before a question that is unknown", typed("colour", "blue", "song", "x"), "song", rule.Length},
	} {
		for range 8 { // a map has another order each time
			k, texts, question, err := choices.Choose(rosa, "owl", tc.answers)
			require.Nil(t, k, tc.name)
			require.Nil(t, texts, tc.name)
			require.Equal(t, tc.question, question, tc.name)
			refused, ok := errors.AsType[*answer.Error](err)
			require.True(t, ok, "%s: %v", tc.name, err)
			require.Equal(t, tc.rule, refused.Rule, tc.name)
		}
	}
}

// What the catalogue does not have is the caller's mistake, not the citizen's.
func TestChooseInvalid(t *testing.T) {
	for _, tc := range []struct {
		name, image string
		answers     map[string]civicpin.Secret
		want        string
	}{
		{"an image", "cat", nil, "the image is none of Config.Images"},
		{"an image, whatever the answers", "cat", typed("song", "x"), "the image is none of Config.Images"},
		{"a question", "owl", typed("colour", "blue"), "a question is none of Config.Questions"},
		{"a question among others", "", typed("song", "Volare", "colour", "blue"), "a question is none of Config.Questions"},
		{"a question in another case", "", typed("Song", "Volare"), "a question is none of Config.Questions"},
	} {
		k, texts, question, err := choices.Choose(rosa, tc.image, tc.answers)
		require.Nil(t, k, tc.name)
		require.Nil(t, texts, tc.name)
		require.Empty(t, question, tc.name)
		require.ErrorIs(t, err, civicpin.ErrInvalid, tc.name)
		require.ErrorContains(t, err, tc.want, tc.name)
		require.NotContains(t, err.Error(), "blue", tc.name)
	}
}
