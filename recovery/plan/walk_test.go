package plan_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

// walk is a plan with steps alone.
func walk(steps ...plan.Step) *plan.Plan { return &plan.Plan{Steps: steps} }

var (
	aLink = plan.Link{Channel: civicpin.Email, Valid: time.Minute}
	aCode = plan.Code{Channel: civicpin.Email, Valid: time.Minute}
	hour  = plan.Wait{For: time.Hour}
	aDay  = plan.Wait{For: 24 * time.Hour}
)

// Guesses that follow each other are asked together, from wherever a run stands; all else is asked alone.
func TestGroup(t *testing.T) {
	facts, questions, contacts := plan.Facts{"birth-day"}, plan.Questions{Ask: 1}, plan.Contacts{AtLeast: 1}
	for _, tc := range []struct {
		name string
		plan *plan.Plan
		want []int // behind each step's group
	}{
		{"all guesses", walk(facts, plan.Image{}, questions, contacts), []int{4, 4, 4, 4}},
		{"a guess alone", walk(plan.Captcha{}, facts, aLink), []int{1, 2, 3}},
		{"guesses to the end", walk(aLink, facts, questions), []int{1, 3, 3}},
		{"guesses apart", walk(facts, plan.Image{}, aLink, questions, contacts, hour), []int{2, 2, 3, 5, 5, 6}},
		{"what is no guess", walk(plan.Captcha{}, plan.Terms{}, plan.ConfirmContact{}, aCode), []int{1, 2, 3, 4}},
		{"staff and factors", walk(plan.Factor("app"), plan.Approval{Questions: 4}, plan.Documents{}), []int{1, 2, 3}},
	} {
		var got []int
		for i := range tc.plan.Steps {
			got = append(got, tc.plan.Group(i))
		}
		require.Equal(t, tc.want, got, tc.name)
	}
}

// A run that comes to waits rests for all of them that follow each other.
func TestResting(t *testing.T) {
	p := walk(aLink, hour, aDay, aCode, aDay)
	for _, tc := range []struct {
		at, behind int
		rests      time.Duration
	}{
		{0, 0, 0},
		{1, 3, 25 * time.Hour},
		{2, 3, 24 * time.Hour},
		{3, 3, 0},
		{4, 5, 24 * time.Hour},
		{5, 5, 0},
	} {
		rests, behind := p.Resting(tc.at)
		require.Equal(t, tc.rests, rests, tc.at)
		require.Equal(t, tc.behind, behind, tc.at)
	}
}

// A step is the last one if nothing comes after it, not even a wait: a run that has to rest is not done.
func TestLast(t *testing.T) {
	for _, tc := range []struct {
		name string
		plan *plan.Plan
		want []bool
	}{
		{"one", walk(aLink), []bool{true}},
		{"three", walk(plan.Captcha{}, aCode, aLink), []bool{false, false, true}},
		{"a wait between", walk(aLink, hour, aCode), []bool{false, false, true}},
		{"a wait at the end", walk(aCode, aLink, hour), []bool{false, false, true}},
		{"waits at the end", walk(aLink, hour, aDay), []bool{false, false, true}},
	} {
		var got []bool
		for i := range tc.plan.Steps {
			got = append(got, tc.plan.Last(i))
		}
		require.Equal(t, tc.want, got, tc.name)
	}
}

func TestLinks(t *testing.T) {
	p := walk(plan.Captcha{}, aLink, aCode, plan.Factor("app"))
	for step, want := range []bool{false, true, false, false, false, false} { // the last two are behind the plan
		require.Equal(t, want, p.Links(step), step)
	}
}

// Captchas, uploads and what a visitor may correct prove nothing.
func TestProves(t *testing.T) {
	for _, s := range []plan.Step{aLink, aCode, plan.Factor("app"), plan.Approval{}, plan.Facts{"a"}, plan.Image{}} {
		p := walk(plan.Captcha{}, plan.Documents{}, plan.ConfirmContact{}, plan.Wait{}, plan.Terms{}, plan.Enrol{}, s)
		for step, want := range []bool{false, false, false, false, false, false, false, true, true} { // the last is behind the plan
			require.Equal(t, want, p.Proves(step), "%T, %d", s, step)
		}
	}
}

// What is asked at once is the most that one step asks: the others ask the first of the same.
func TestAsks(t *testing.T) {
	for _, tc := range []struct {
		name      string
		plan      *plan.Plan
		questions int
		image     bool
	}{
		{"nothing", walk(plan.Captcha{}, aLink, plan.Enrol{Image: true, Questions: 4}), 0, false},
		{"an image", walk(plan.Image{}, aLink), 0, true},
		{"questions", walk(plan.Questions{Ask: 2}), 2, false},
		{"an operator's", walk(plan.Approval{Questions: 3}), 3, false},
		{"the operator asks more", walk(plan.Questions{Ask: 1}, plan.Approval{Questions: 4}), 4, false},
		{"the operator asks fewer", walk(plan.Image{}, plan.Questions{Ask: 3}, plan.Approval{Questions: 1}), 3, true},
		{"the first asks most", walk(plan.Questions{Ask: 4}, aLink, plan.Questions{Ask: 1}, plan.Image{}), 4, true},
	} {
		questions, image := tc.plan.Asks()
		require.Equal(t, tc.questions, questions, tc.name)
		require.Equal(t, tc.image, image, tc.name)
	}
}

// The log numbers steps from one, and says which terms were accepted.
func TestDescribe(t *testing.T) {
	p := walk(plan.Captcha{}, plan.Facts{"birth-day"}, aLink, plan.Factor("app"), plan.Terms{Version: "2026-01"})
	for step, want := range []string{"1 plan.Captcha", "2 plan.Facts", "3 plan.Link", "4 plan.Factor", "5 plan.Terms 2026-01"} {
		require.Equal(t, want, p.Describe(step))
	}
}

// What each step leaves to an attacker who has a hundred tries, or as many as the ceiling says.
func TestGuessProbability(t *testing.T) {
	const email, sms = civicpin.Email, civicpin.SMS
	link := plan.Link{Channel: email, Valid: time.Hour}
	code := plan.Code{Channel: sms, Valid: time.Minute}
	corrects := plan.ConfirmContact{Channel: email, MayCorrect: true}
	sent := 100 * math.Pow(2, -8*math.Log2(28)) // a code of 8 characters out of 28
	for name, tc := range map[string]struct {
		steps            []plan.Step
		ceiling          int
		usual, corrected float64
	}{
		"nothing":                            {nil, 0, 1, 1},
		"facts and contacts":                 {[]plan.Step{plan.Facts{"a"}, plan.Contacts{AtLeast: 2}}, 0, 1, 1},
		"an image of nine":                   {[]plan.Step{plan.Image{}}, 1, 1.0 / 9, 1.0 / 9},
		"four questions":                     {[]plan.Step{plan.Questions{Ask: 4}}, 0, 0.16, 0.16},
		"a link":                             {[]plan.Step{link}, 0, 0, 0},
		"a code":                             {[]plan.Step{code}, 0, sent, sent},
		"a code, with ten tries":             {[]plan.Step{code}, 10, sent / 10, sent / 10},
		"a factor":                           {[]plan.Step{plan.Factor("app")}, 0, 1e-3, 1e-3},
		"an operator":                        {[]plan.Step{plan.Approval{Role: "agency"}}, 0, 0, 0},
		"a corrected address":                {[]plan.Step{corrects, link}, 0, 0, 1},
		"a corrected address and a factor":   {[]plan.Step{corrects, link, plan.Factor("app")}, 0, 0, 1e-3},
		"a corrected address and a code":     {[]plan.Step{corrects, link, code}, 0, 0, sent},
		"a corrected address and staff":      {[]plan.Step{corrects, link, plan.Approval{Role: "agency"}}, 0, 0, 0},
		"a contact that is confirmed only":   {[]plan.Step{plan.ConfirmContact{Channel: email}, link}, 0, 0, 0},
		"a link with a code beside it":       {[]plan.Step{plan.Link{Channel: email, Valid: time.Hour, Code: 8}}, 0, sent, sent},
		"four questions, four times":         {slices.Repeat([]plan.Step{plan.Questions{Ask: 4}}, 4), 0, 0.16, 0.16},
		"the same questions and more":        {[]plan.Step{plan.Questions{Ask: 1}, link, plan.Questions{Ask: 4}}, 0, 0, 0},
		"one question, then four":            {[]plan.Step{plan.Questions{Ask: 1}, plan.Questions{Ask: 4}}, 0, 0.16, 0.16},
		"an image, twice":                    {[]plan.Step{plan.Image{}, plan.Image{}}, 1, 1.0 / 9, 1.0 / 9},
		"a factor, twice":                    {[]plan.Step{plan.Factor("app"), plan.Factor("app")}, 0, 1e-3, 1e-3},
		"two factors":                        {[]plan.Step{plan.Factor("app"), plan.Factor("codes")}, 0, 1e-6, 1e-6},
		"four questions and a corrected one": {[]plan.Step{plan.Questions{Ask: 4}, corrects, link}, 0, 0, 0.16},
	} {
		usual, corrected := plan.Plan{Steps: tc.steps, Limit: lockout.Policy{Ceiling: tc.ceiling}}.GuessProbability(9)
		require.InDelta(t, tc.usual, usual, tc.usual*1e-9, name)
		require.InDelta(t, tc.corrected, corrected, tc.corrected*1e-9, name)
	}
}
