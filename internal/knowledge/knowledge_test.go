package knowledge_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/internal/knowledge"
)

func TestNamesAndAnswer(t *testing.T) {
	k := enrolled("", "pet", "street")
	require.Equal(t, []string{"pet", "street"}, k.Names())
	require.Empty(t, enrolled("owl").Names())
	a, ok := k.Answer("street")
	require.True(t, ok)
	require.Equal(t, knowledge.Answer{Question: "street", Form: 1, Hash: "$hash$street"}, a)
	for _, none := range []string{"song", "", "Street", "stree"} {
		a, ok = k.Answer(none)
		require.False(t, ok, none)
		require.Zero(t, a, none)
	}
}

// The log learns how much was enrolled, and no image, question or hash.
func TestString(t *testing.T) {
	for _, tc := range []struct {
		k    *knowledge.Knowledge
		want string
	}{
		{enrolled(""), "no image, 0 answers"},
		{enrolled("owl"), "an image, 0 answers"},
		{enrolled("", "pet", "street"), "no image, 2 answers"},
		{enrolled("owl", "pet"), "an image, 1 answers"},
	} {
		require.Equal(t, tc.want, tc.k.String())
		require.Equal(t, tc.want+" "+tc.want, fmt.Sprintf("%v %s", tc.k, tc.k))
	}
}

// What is new replaces what there was, answers all together; what is not new stays.
func TestPut(t *testing.T) {
	for _, tc := range []struct {
		name            string
		old, other, out *knowledge.Knowledge
	}{
		{"nothing", enrolled("owl", "pet"), enrolled(""), enrolled("owl", "pet")},
		{"an image", enrolled("owl", "pet"), enrolled("fox"), enrolled("fox", "pet")},
		{"answers", enrolled("owl", "pet", "song"), enrolled("", "street"), enrolled("owl", "street")},
		{"both", enrolled("owl", "pet"), enrolled("fox", "street", "song"), enrolled("fox", "street", "song")},
		{"into nothing", enrolled(""), enrolled("fox", "street"), enrolled("fox", "street")},
	} {
		tc.old.Put(tc.other)
		require.Equal(t, tc.out, tc.old, tc.name)
	}
}

// What the catalogue no longer has goes, and the rest stays in its order.
func TestPrune(t *testing.T) {
	c := knowledge.Catalogue{Questions: []string{"pet", "street", "song"}, Images: []string{"owl", "fox"}}
	for _, tc := range []struct {
		name   string
		k, out *knowledge.Knowledge
	}{
		{"all is there", enrolled("fox", "pet", "song"), enrolled("fox", "pet", "song")},
		{"the image went", enrolled("cat", "pet"), enrolled("", "pet")},
		{"a question went", enrolled("owl", "song", "teacher", "pet"), enrolled("owl", "song", "pet")},
		{"nothing was enrolled", enrolled(""), enrolled("")},
	} {
		c.Prune(tc.k)
		require.Equal(t, tc.out, tc.k, tc.name)
	}
	k := enrolled("owl", "pet", "song")
	new(knowledge.Catalogue).Prune(k)
	require.Empty(t, k.Image)
	require.Empty(t, k.Names())
}

// A decoy is what most subjects have: an image and four questions, as far as the catalogue goes.
func TestDecoy(t *testing.T) {
	for _, tc := range []struct {
		questions, images int
		image             string
		want              []string
	}{
		{6, 9, "i01", []string{"q01", "q02", "q03", "q04"}},
		{4, 1, "i01", []string{"q01", "q02", "q03", "q04"}},
		{3, 0, "", []string{"q01", "q02", "q03"}},
		{0, 2, "i01", nil},
		{0, 0, "", nil},
	} {
		k := catalogue(tc.questions, tc.images).Decoy("$nothing$")
		require.Equal(t, tc.image, k.Image, "%+v", tc)
		require.Equal(t, tc.want, k.Names(), "%+v", tc)
		for _, a := range k.Questions {
			require.Equal(t, answer.Version, a.Form)
			require.Equal(t, "$nothing$", a.Hash)
		}
	}
}

// Knowledge is stored: the names never change.
func TestStored(t *testing.T) {
	for text, k := range map[string]*knowledge.Knowledge{
		`{}`: enrolled(""),
		`{"image":"owl","questions":[{"question":"pet","form":1,"hash":"$hash$pet"}]}`: enrolled("owl", "pet"),
	} {
		out, err := json.Marshal(k)
		require.NoError(t, err)
		require.JSONEq(t, text, string(out))
		var back knowledge.Knowledge
		require.NoError(t, json.Unmarshal([]byte(text), &back))
		require.Equal(t, *k, back)
	}
	require.Equal(t, []int{12, 8}, []int{knowledge.MaxShown, knowledge.MaxEnrolled})
}
