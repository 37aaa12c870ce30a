package plan_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

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
		"four questions and a corrected one": {[]plan.Step{plan.Questions{Ask: 4}, corrects, link}, 0, 0, 0.16},
	} {
		usual, corrected := plan.Plan{Steps: tc.steps, Limit: lockout.Policy{Ceiling: tc.ceiling}}.GuessProbability(9)
		require.InDelta(t, tc.usual, usual, tc.usual*1e-9, name)
		require.InDelta(t, tc.corrected, corrected, tc.corrected*1e-9, name)
	}
}
