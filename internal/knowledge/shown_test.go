package knowledge_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/knowledge"
)

// sorted returns a list as a set.
func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// A subject's own image is among those that are shown, which are all of a small catalogue.
func TestShown(t *testing.T) {
	for _, tc := range []struct{ images, want int }{{1, 1}, {2, 2}, {11, 11}, {12, 12}, {13, 12}, {40, 12}} {
		c := catalogue(0, tc.images)
		for _, own := range append(named("i", tc.images), "") {
			shown := c.Shown(rosa, enrolled(own))
			require.Len(t, shown, tc.want)
			require.Len(t, slices.Compact(sorted(shown)), tc.want, "none twice")
			require.Subset(t, c.Images, shown)
			require.True(t, own == "" || slices.Contains(shown, own), own)
			require.Equal(t, shown, c.Shown(rosa, enrolled(own)), "the same each time")
		}
		require.Equal(t, named("i", tc.images), c.Images, "the catalogue stays in its order")
	}
	require.Nil(t, catalogue(4, 0).Shown(rosa, enrolled("")))
	require.Nil(t, catalogue(4, 0).Shown(rosa, enrolled("gone")))
}

// What a subject is shown depends on them, their image and the key; not on the order of the catalogue, nor on their answers.
func TestShownDepends(t *testing.T) {
	c, other := catalogue(4, 40), catalogue(4, 40)
	other.Hash = keyed("other")
	shown := c.Shown(rosa, enrolled("i07"))
	require.NotEqual(t, sorted(shown), sorted(c.Shown("1712345679", enrolled("i07"))))
	require.NotEqual(t, sorted(shown), sorted(other.Shown(rosa, enrolled("i07"))))
	require.Equal(t, shown, c.Shown(rosa, enrolled("i07", "q01")))
	turned := *c
	turned.Images = slices.Clone(c.Images)
	slices.Reverse(turned.Images)
	require.Equal(t, shown, turned.Shown(rosa, enrolled("i07")))
}

// The others come anew with an image: what came in and what went does not tell which one it is.
func TestShownOthers(t *testing.T) {
	c := catalogue(0, 40)
	for _, subject := range subjects(20) {
		before, after := c.Shown(subject, enrolled("i01")), c.Shown(subject, enrolled("i02"))
		came := slices.DeleteFunc(slices.Clone(after), func(image string) bool { return slices.Contains(before, image) })
		require.Greater(t, len(came), 2, subject)
	}
}

// Where the own image stands tells nothing: it is anywhere, and as often.
func TestShownOrder(t *testing.T) {
	c, at := catalogue(0, 40), make(map[int]int)
	for _, subject := range subjects(600) {
		at[slices.Index(c.Shown(subject, enrolled("i05")), "i05")]++
	}
	require.Len(t, at, knowledge.MaxShown)
	for place, times := range at {
		require.InDelta(t, 50, times, 35, "place %d", place) // five standard deviations of 6.8
	}
	// Nor does the catalogue's order: a small one is in another order for each subject.
	small := catalogue(0, 5)
	require.NotEqual(t, small.Shown("a", enrolled("")), small.Shown("b", enrolled("")))
	require.Equal(t, small.Shown("a", enrolled("i01")), small.Shown("a", enrolled("i02")), "and the same whatever is theirs")
}

// Who has no image is shown what they would be with one, which is another for each subject.
func TestShownMadeUp(t *testing.T) {
	c, decoys := catalogue(0, 40), make(map[string]bool)
	for _, subject := range subjects(40) {
		shown := c.Shown(subject, enrolled(""))
		like := slices.IndexFunc(c.Images, func(image string) bool {
			return slices.Equal(shown, c.Shown(subject, enrolled(image)))
		})
		require.GreaterOrEqual(t, like, 0, "%s: as if they had enrolled one", subject)
		decoys[c.Images[like]] = true
	}
	require.Greater(t, len(decoys), 15)
}

// As much is hashed whether a subject has an image or not.
func TestShownTakesAsLong(t *testing.T) {
	c, hashes := catalogue(0, 40), 0
	count := *c
	count.Hash = func(purpose string, parts ...string) [32]byte {
		hashes++
		return c.Hash(purpose, parts...)
	}
	count.Shown(rosa, enrolled(""))
	without := hashes
	hashes = 0
	count.Shown(rosa, enrolled("i07"))
	require.Equal(t, without, hashes)
}

// The own questions come first, then decoys up to what is usual, then the rest: more asked means the same ones first.
func TestPick(t *testing.T) {
	c := catalogue(10, 0)
	for _, own := range [][]string{
		nil, {"q03"}, {"q09", "q02"}, {"q08", "q01", "q05"}, {"q01", "q02", "q03", "q04"}, named("q", 7), c.Questions,
	} {
		k := enrolled("", own...)
		all := c.Pick(rosa, k, 10)
		require.Equal(t, c.Questions, sorted(all), "each once")
		require.Equal(t, sorted(own), sorted(all[:len(own)]), "own first")
		for n := range 13 {
			require.Equal(t, all[:min(n, 10)], c.Pick(rosa, k, n), "%d of %v", n, own)
		}
		for _, n := range []int{1, 2, 4, 10} {
			require.Equal(t, c.Pick(rosa, k, n), c.Pick(rosa, k, n), "stable")
		}
	}
	require.Equal(t, named("q", 10), c.Questions, "the catalogue stays in its order")
	require.Equal(t, named("q", 2), sorted(catalogue(2, 0).Pick(rosa, enrolled("", "q02"), 4)), "no more than there are")
	require.Empty(t, catalogue(0, 3).Pick(rosa, enrolled(""), 4))
}

// Which question comes first depends on the subject, among those that are enrolled or decoys, and on nothing else.
func TestPickFirst(t *testing.T) {
	c := catalogue(10, 0)
	first := make(map[string]bool)
	for _, subject := range subjects(60) {
		first[c.Pick(subject, enrolled("", "q02", "q04", "q06", "q08"), 1)[0]] = true
	}
	require.Len(t, first, 4, "any of four")
	require.Equal(t, c.Pick(rosa, enrolled("", "q02", "q04"), 4), c.Pick(rosa, enrolled("i01", "q04", "q02"), 4))
}

// The decoys differ by subject and by key, not with the order of the catalogue.
func TestPickMadeUp(t *testing.T) {
	c, other, turned := catalogue(10, 0), catalogue(10, 0), catalogue(10, 0)
	other.Hash = keyed("other")
	slices.Reverse(turned.Questions)
	sets := make(map[string]bool)
	byKey := 0
	for _, subject := range subjects(100) {
		picked := c.Pick(subject, enrolled(""), 4)
		sets[picked[0]] = true
		require.Equal(t, picked, turned.Pick(subject, enrolled(""), 4))
		if !slices.Equal(picked, other.Pick(subject, enrolled(""), 4)) {
			byKey++
		}
	}
	require.Len(t, sets, 10, "any question of the catalogue")
	require.Greater(t, byKey, 90)
}
