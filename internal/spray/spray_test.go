package spray_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/internal/spray"
)

// noon is when these tests begin.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// at is a guess at a subject from a network, so long after noon.
func at(after time.Duration, subject, network byte) spray.Guess {
	return spray.NewGuess([4]byte{subject}, [2]byte{network}, noon.Add(after))
}

func TestTake(t *testing.T) {
	const hour, day, minute = time.Hour, 24 * time.Hour, time.Minute
	type guess struct {
		after            time.Duration
		subject, network byte
		again            time.Duration // zero if it is let in
	}
	for name, tc := range map[string]struct {
		own, whole spray.Limit
		guesses    []guess
	}{
		"no limit": {guesses: []guess{{0, 1, 0, 0}, {0, 2, 0, 0}, {0, 3, 0, 0}}},
		"failures": {own: spray.Limit{Failures: 2}, guesses: []guess{
			{0, 1, 0, 0},
			{minute, 1, 0, 0},
			{2 * minute, 1, 0, hour},
			{hour - time.Second, 1, 0, hour},
			{hour, 1, 0, 0},
			{hour, 1, 0, hour + minute},
		}},
		"subjects": {own: spray.Limit{Subjects: 2, Failures: 9}, guesses: []guess{
			{0, 1, 0, 0},
			{minute, 2, 0, 0},
			{2 * minute, 3, 0, hour},
			{3 * minute, 1, 0, 0},
			{4 * minute, 3, 0, hour + minute},
			{hour + minute, 3, 0, 0},
			{hour + minute, 1, 0, 0},
			{hour + 2*minute, 2, 0, hour + 61*minute},
		}},
		"subjects of a day": {own: spray.Limit{SubjectsDay: 2, Failures: 9}, guesses: []guess{
			{0, 1, 0, 0},
			{hour, 2, 0, 0},
			{3 * hour, 3, 0, day},
			{3 * hour, 2, 0, 0},
			{4 * hour, 1, 0, 0},
			{day, 3, 0, day + 3*hour},
			{day + 3*hour, 3, 0, 0},
		}},
		"networks apart, and all of them": {
			own: spray.Limit{Subjects: 1, Failures: 9}, whole: spray.Limit{Subjects: 2, Failures: 4},
			guesses: []guess{
				{0, 1, 1, 0},
				{1 * minute, 2, 1, hour},
				{1 * minute, 2, 2, 0},
				{2 * minute, 3, 3, hour},
				{2 * minute, 1, 3, 0},
				{3 * minute, 1, 4, 0},
				{4 * minute, 1, 5, hour},
			},
		},
		"a clock a day behind cuts nothing": {own: spray.Limit{Failures: 1}, guesses: []guess{
			{0, 1, 0, 0}, {-day, 1, 0, hour}, {minute, 1, 0, hour},
		}},
		"a clock that was years ahead": {own: spray.Limit{Failures: 1}, guesses: []guess{
			{9999 * day, 1, 0, 0}, {0, 1, 0, hour}, {minute, 1, 0, hour}, {hour, 1, 0, 0},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var l spray.List
			for i, g := range tc.guesses {
				again, changed := l.Take(at(g.after, g.subject, g.network), tc.own, tc.whole)
				want := time.Time{}
				if g.again != 0 {
					want = noon.Add(g.again)
				}
				require.True(t, want.Equal(again), "guess %d: %v", i, again)
				require.Equal(t, g.again == 0 || i == 1 && tc.guesses[0].after > day, changed, "guess %d", i)
			}
		})
	}
}

// TestModel: whatever is taken and given back, the list lets a guess in exactly if what was taken and not given back is within
// the limits, counted from scratch; and it stays as short as the limits say, and reads as it was written.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := func(name string) (l spray.Limit) {
			l.Failures = rapid.IntRange(1, 8).Draw(t, name+" failures")
			l.Subjects = rapid.IntRange(0, 4).Draw(t, name+" subjects")
			l.SubjectsDay = rapid.IntRange(0, 6).Draw(t, name+" subjects a day")
			return l
		}
		own, whole := drawn("own"), drawn("whole")
		var l spray.List
		var open []spray.Guess // taken and not given back
		now := time.Duration(0)
		for range 60 {
			now += time.Duration(rapid.SampledFrom([]int{0, 1, 700, 2000, 20000}).Draw(t, "seconds")) * time.Second
			if i := len(open) - 1; i >= 0 && rapid.Bool().Draw(t, "give back") && now < time.Duration(open[i].At-at(0, 0, 0).At+600)*time.Second {
				require.True(t, l.Refund(open[i]))
				open = open[:i]
				continue
			}
			g := at(now, rapid.Byte().Draw(t, "subject")%9, rapid.Byte().Draw(t, "network")%3)
			again, _ := l.Take(g, own, whole)
			require.Equal(t, fits(open, g, whole, false) && fits(open, g, own, true), again.IsZero())
			if again.IsZero() {
				open = append(open, g)
			} else {
				require.True(t, again.After(noon.Add(now)))
			}
			require.LessOrEqual(t, len(l), whole.Failures+9)
			text, err := l.MarshalText()
			require.NoError(t, err)
			var back spray.List
			require.NoError(t, back.UnmarshalText(text))
			require.Equal(t, l, back)
		}
	})
}

// fits counts by the rule's words.
func fits(open []spray.Guess, g spray.Guess, l spray.Limit, own bool) bool {
	count := func(window uint32) (failures, subjects int, known bool) {
		var seen [][4]byte
		for i, o := range open {
			if own && (o.Network != g.Network || overtaken(open, i, g.At)) || o.At+window <= g.At {
				continue
			}
			failures++
			if !slices.Contains(seen, o.Subject) {
				seen = append(seen, o.Subject)
			}
		}
		return failures, len(seen), slices.Contains(seen, g.Subject)
	}
	failures, subjects, known := count(3600)
	_, day, knownToday := count(24 * 3600)
	return failures < l.Failures && (l.Subjects == 0 || known || subjects < l.Subjects) &&
		(l.SubjectsDay == 0 || knownToday || day < l.SubjectsDay)
}

// overtaken reports whether a guess is older than an hour, and not the last such one at its subject, whatever its network.
func overtaken(open []spray.Guess, i int, now uint32) bool {
	return open[i].At+3600 <= now && slices.ContainsFunc(open[i+1:], func(g spray.Guess) bool {
		return g.Subject == open[i].Subject && g.At+3600 <= now
	})
}

// TestLongest: however an attacker guesses, a list stays as short as its limits say, and the longest one of all fits a record.
func TestLongest(t *testing.T) {
	day := spray.Limit{Subjects: 1, SubjectsDay: 1, Failures: 30}
	for name, tc := range map[string]struct {
		own, whole spray.Limit
		most       int
	}{
		"ever new networks, one subject": {day, day, 31},
		"ever new subjects, no day":      {spray.Limit{Failures: 30}, spray.Limit{}, 30},
		"a day of its own networks only": {day, spray.Limit{Failures: 30}, 720},
	} {
		var l spray.List
		for i := range 24 * 30 {
			g := spray.Guess{Network: [2]byte{byte(i >> 8), byte(i)}, At: at(time.Duration(i)*2*time.Minute, 0, 0).At}
			if tc.whole.SubjectsDay == 0 {
				g.Subject = [4]byte{byte(i >> 8), byte(i)}
			}
			again, _ := l.Take(g, tc.own, tc.whole)
			require.Zero(t, again, name)
			require.LessOrEqual(t, len(l), tc.most, name)
		}
	}

	var l spray.List
	for i := range 30_000 { // as if no limit had held
		g := at(time.Duration(i)*2*time.Second, 0, 0)
		g.Subject = [4]byte{1, 0, byte(i >> 8), byte(i)}
		l = append(l, g)
	}
	last := at(30_000*2*time.Second, 9, 9)
	again, _ := l.Take(last, spray.Limit{SubjectsDay: 40_000, Failures: 40_000}, spray.Limit{})
	require.Zero(t, again)
	require.Len(t, l, spray.Longest)
	require.Equal(t, last, l[len(l)-1], "the oldest go")
	text, err := l.MarshalText()
	require.NoError(t, err)
	require.Less(t, len(text), 110_000)
}

func TestUnmarshalBad(t *testing.T) {
	for _, text := range []string{"A", "AAAA", "AAAAAAAAAAAAA=", "AAAAAAAAAAAAA/", "*"} {
		l := spray.List{{At: 1}}
		require.Error(t, l.UnmarshalText([]byte(text)), text)
		require.Len(t, l, 1)
	}
}
