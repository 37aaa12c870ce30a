package recovery_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// genSubject draws a subject.
var genSubject = rapid.Custom(func(t *rapid.T) civicpin.Subject {
	return civicpin.Subject(rapid.StringMatching(`[0-9]{10}`).Draw(t, "subject"))
})

// subset draws so many of a list.
func subset(t *rapid.T, list []string, n int) []string {
	return rapid.Permutation(list).Draw(t, "some")[:n]
}

// Questions that are asked are enrolled ones, all different, the same ones as long as the epoch is, and the same ones again
// for a plan that asks more. Of whom nothing is known, the answer has the same form.
func TestPickedQuestions(t *testing.T) {
	k := newAnswerKit(t)
	all := answerConfig().Questions
	rapid.Check(t, func(t *rapid.T) {
		subject := genSubject.Draw(t, "subject")
		epoch := rapid.Uint64Range(0, 9).Draw(t, "epoch")
		n := rapid.IntRange(1, 4).Draw(t, "n")
		enrolled := subset(t, all, rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6}).Draw(t, "enrolled"))
		got := recovery.PickedQuestions(k.Service, subject, enrolled, epoch, n)
		if len(got) != n {
			t.Fatalf("%d of %d", len(got), n)
		}
		seen := make(map[string]bool)
		own := 0
		for _, q := range got {
			if seen[q] || !slices.Contains(all, q) {
				t.Fatal(got)
			}
			seen[q] = true
			if slices.Contains(enrolled, q) {
				own++
			}
		}
		if want := min(n, len(enrolled)); own < want {
			t.Fatalf("%d of %d are enrolled", own, want)
		}
		again := recovery.PickedQuestions(k.Service, subject, subset(t, enrolled, len(enrolled)), epoch, n)
		more := recovery.PickedQuestions(k.Service, subject, enrolled, epoch, n+1)
		if !slices.Equal(got, again) || !slices.Equal(got, more[:n]) {
			t.Fatal(got, again, more)
		}
	})
}

// A new epoch asks others, sooner or later, also of whom nothing is known; and no more of them than anybody enrols.
func TestQuestionsRotateWithTheEpoch(t *testing.T) {
	k := newAnswerKit(t)
	for _, enrolled := range [][]string{{"pet", "street", "hero"}, nil} {
		seen := make(map[string]int)
		for epoch := range uint64(60) {
			for _, q := range recovery.PickedQuestions(k.Service, elsa, enrolled, epoch, 1) {
				seen[q]++
			}
		}
		require.Len(t, seen, 3, "the plans of this kit have three enrolled")
		for q, n := range seen {
			require.Greater(t, n, 5, q)
		}
	}
}

// A catalogue that is too small is no error.
func TestSmallCatalogues(t *testing.T) {
	c := answerConfig()
	c.Questions, c.Images = nil, nil
	c.Plans = []plan.Plan{{
		Name: "facts", Creates: true, Outcome: plan.ChooseSecret, Limit: threeTries(),
		Steps: []plan.Step{plan.Facts{"birth-day"}, plan.Approval{Role: "desk", Second: true}},
	}}
	k := newAnswerKitOf(t, c)
	require.Empty(t, recovery.PickedQuestions(k.Service, elsa, nil, 0, 2))
	require.Empty(t, recovery.ShownImages(k.Service, elsa, ""))
	c.Images, c.Questions = []string{"a", "b", "c"}, []string{"pet"}
	k = newAnswerKitOf(t, c)
	require.Equal(t, []string{"pet"}, recovery.PickedQuestions(k.Service, elsa, nil, 0, 2))
	for _, own := range []string{"", "b"} {
		require.ElementsMatch(t, c.Images, recovery.ShownImages(k.Service, elsa, own))
		require.Equal(t, recovery.ShownImages(k.Service, elsa, ""), recovery.ShownImages(k.Service, elsa, own), "the order tells nothing")
	}
}

// Twelve images are shown, all different, among them the subject's own, the same ones in the same order each time.
func TestShownImages(t *testing.T) {
	k := newAnswerKit(t)
	all := answerConfig().Images
	rapid.Check(t, func(t *rapid.T) {
		subject := genSubject.Draw(t, "subject")
		own := rapid.SampledFrom(append([]string{""}, all...)).Draw(t, "own")
		got := recovery.ShownImages(k.Service, subject, own)
		if len(got) != 12 || own != "" && !slices.Contains(got, own) {
			t.Fatal(own, got)
		}
		for i, image := range got {
			if !slices.Contains(all, image) || slices.Contains(got[:i], image) {
				t.Fatal(got)
			}
		}
		if again := recovery.ShownImages(k.Service, subject, own); !slices.Equal(got, again) {
			t.Fatal(got, again)
		}
	})
}

// Nothing about what is shown says which image is whose, or that there is one: own ones stand at each place alike, and over
// many subjects each image is seen as often for those who chose evenly as for those who are not known.
func TestShownImagesTellNothing(t *testing.T) {
	k := newAnswerKit(t)
	all := answerConfig().Images
	const n = 1200
	var places [12]int
	known, unknown := make(map[string]int), make(map[string]int)
	for i := range n {
		subject := civicpin.Subject(fmt.Sprintf("%010d", i))
		own := all[i%len(all)]
		shown := recovery.ShownImages(k.Service, subject, own)
		places[slices.Index(shown, own)]++
		for _, image := range shown {
			known[image]++
		}
		for _, image := range recovery.ShownImages(k.Service, subject, "") {
			unknown[image]++
		}
	}
	for place, times := range places { // 100 each, with a standard deviation of 10
		require.InDelta(t, n/12, times, 45, "place %d", place)
	}
	for _, image := range all { // 720 each, with one of 17
		require.InDelta(t, n*12/20, known[image], 80, image)
		require.InDelta(t, n*12/20, unknown[image], 80, image)
	}
}

// Who looks before and after another image was enrolled does not see which one came in: the two are made up apart. Of twelve
// out of twenty each, 7.2 are in both by chance; were only the own one replaced, eleven would be.
func TestAnotherImageChangesTheOthers(t *testing.T) {
	k := newAnswerKit(t)
	common := 0
	const n = 300
	for i := range n {
		subject := civicpin.Subject(fmt.Sprintf("%010d", i))
		before := recovery.ShownImages(k.Service, subject, []string{"", "image-03"}[i%2])
		for _, image := range recovery.ShownImages(k.Service, subject, "image-07") {
			if slices.Contains(before, image) {
				common++
			}
		}
	}
	require.InDelta(t, 7.2, float64(common)/n, 0.5)
}

// A plan is credited with the images that are shown, not with all that there are.
func TestImagesShownAreWhatCounts(t *testing.T) {
	c := answerConfig()
	c.Images = nil
	for i := range 256 {
		c.Images = append(c.Images, fmt.Sprintf("image-%03d", i))
	}
	p := plan.Plan{
		Steps: []plan.Step{plan.Image{}, plan.Questions{Ask: 2}, plan.Factor("app")},
		Limit: lockout.Policy{Ceiling: 100},
	}
	usual, _ := p.GuessProbability(256)
	require.Less(t, usual, 1e-4, "with all of them it would pass")
	usual, _ = p.GuessProbability(12)
	require.Greater(t, usual, 1e-4)
	refused := c.Plans[0]
	refused.Steps = p.Steps
	c.Plans = []plan.Plan{refused}
	c.Factors = map[string]func(context.Context, civicpin.Subject, civicpin.Secret, civicpin.Source) error{"app": noFactor}
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	_, err = newAnswerService(t, vault, c)
	require.ErrorIs(t, err, recovery.ErrInvalidPlan)
	c.Plans[0].Exception = "for a test"
	_, err = newAnswerService(t, vault, c)
	require.NoError(t, err)
}
