package plan_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

// everyStep is a plan with each sort of step, twice: with all its fields, and with none.
func everyStep() plan.Plan {
	const email = civicpin.Email
	return plan.Plan{
		Name: "every", Outcome: plan.ReissueInParts, Keeps: civicpin.Substantial, Creates: true,
		Limit: lockout.Policy{
			Limit: 3, Lock: lockout.Timed, For: 15 * time.Minute, Ceiling: 30, Source: civicpin.Rate{Limit: 9},
		},
		Valid: 90 * time.Minute, Grant: time.Second, Repudiate: 30 * 24 * time.Hour,
		Exception: `"none" <of> these`,
		Steps: []plan.Step{
			plan.Captcha{},
			plan.Facts{"birth-day", "ñ"},
			plan.Image{},
			plan.Questions{Ask: 1},
			plan.Contacts{AtLeast: 2, Of: []civicpin.Channel{email, civicpin.SMS}},
			plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 24 * time.Hour},
			plan.Link{Channel: email, Or: []civicpin.Channel{civicpin.CertifiedEmail}, Valid: 3 * time.Minute, Code: 8},
			plan.Code{Channel: email, Or: []civicpin.Channel{civicpin.SMS}, Valid: time.Minute, Length: 6},
			plan.Factor("app"),
			plan.Documents{Kinds: []string{"front"}, Types: []string{"image/jpeg"}, MaxBytes: 1 << 40},
			plan.Approval{Role: "agency", Questions: 4, Second: true},
			plan.Wait{For: time.Hour},
			plan.Terms{Version: "2026"},
			plan.Enrol{Image: true, Questions: 4},

			plan.Facts(nil),
			plan.Questions{},
			plan.Contacts{},
			plan.ConfirmContact{},
			plan.Link{},
			plan.Code{},
			plan.Factor(""),
			plan.Documents{},
			plan.Approval{},
			plan.Wait{},
			plan.Terms{},
			plan.Enrol{},
		},
	}
}

func TestPlanJSON(t *testing.T) {
	every := reflect.ValueOf(everyStep())
	for i := range every.NumField() {
		require.False(t, every.Field(i).IsZero(), "a field of Plan that this test does not try: %s", every.Type().Field(i).Name)
	}
	for _, p := range append(plans(), everyStep(), plan.Plan{}) {
		text, err := json.MarshalIndent(p, "", "  ")
		require.NoError(t, err)
		var back plan.Plan
		require.NoError(t, json.Unmarshal(text, &back), "%s", text)
		require.Equal(t, p, back)
	}
	text, err := json.Marshal(plans()[0])
	require.NoError(t, err)
	require.Equal(t, `{"name":"clave","steps":[{"captcha":{}},{"facts":["birth-day","birth-month"]},{"image":{}},`+
		`{"questions":{"ask":1}},{"confirmContact":{"channel":"email","mayCorrect":true,"wait":"1d"}},`+
		`{"link":{"channel":"email","valid":"3m"}}],"limit":{"limit":3,"lock":"until-unlocked"},"outcome":"choose-secret",`+
		`"exception":"with a contact corrected it rests on what is known, and a day in which the old one can object"}`, string(text))
}

// A step of somebody else's making has no name, nor has a pointer to one of this package's.
func TestPlanJSONOfForeignSteps(t *testing.T) {
	type foreign struct{ plan.Step }
	for _, s := range []plan.Step{nil, foreign{}, foreign{plan.Captcha{}}, &plan.Captcha{}, (*plan.Captcha)(nil)} {
		_, err := json.Marshal(plan.Plan{Name: "p", Steps: []plan.Step{s}})
		require.ErrorIs(t, err, plan.ErrInvalid, "%T", s)
	}
}

func TestPlanJSONIsStrict(t *testing.T) {
	good, err := json.Marshal(everyStep())
	require.NoError(t, err)
	with := func(old, replacement string) string {
		require.Contains(t, string(good), old)
		return strings.Replace(string(good), old, replacement, 1)
	}
	for name, text := range map[string]string{
		"empty":                    "",
		"null":                     "null",
		"a list":                   "[]",
		"text":                     `"clave"`,
		"an unknown field":         with(`{"name"`, `{"nane":"x","name"`),
		"a field twice":            with(`{"name"`, `{"name":"x","name"`),
		"in another case":          with(`"outcome"`, `"Outcome"`),
		"steps twice":              with(`"steps":`, `"steps":[],"steps":`),
		"steps as an object":       `{"steps":{"captcha":{}}}`,
		"no steps":                 `{"steps":null}`,
		"null for a step":          `{"steps":[null]}`,
		"a step as text":           `{"steps":["captcha"]}`,
		"a step without a name":    `{"steps":[{}]}`,
		"two steps in one":         `{"steps":[{"captcha":{},"image":{}}]}`,
		"one step twice in one":    `{"steps":[{"captcha":{},"captcha":{}}]}`,
		"an unknown step":          `{"steps":[{"prayer":{}}]}`,
		"a step in another case":   `{"steps":[{"Captcha":{}}]}`,
		"a step that is null":      `{"steps":[{"captcha":null}]}`,
		"a step that is true":      `{"steps":[{"captcha":true}]}`,
		"a step with a field more": `{"steps":[{"captcha":{"hard":true}}]}`,
		"a step's field twice":     with(`"ask":1`, `"ask":1,"ask":1`),
		"facts as an object":       `{"steps":[{"facts":{"birth-day":true}}]}`,
		"a fact that is a number":  `{"steps":[{"facts":[14]}]}`,
		"a factor as an object":    `{"steps":[{"factor":{"name":"app"}}]}`,
		"a wait without a key":     `{"steps":[{"wait":"1h"}]}`,
		"seconds as a number":      with(`"3m"`, `180`),
		"a fraction of days":       with(`"30d"`, `"1.5d"`),
		"a number as text":         with(`"ask":1`, `"ask":"1"`),
		"a fraction":               with(`"ask":1`, `"ask":1.5`),
		"too many bytes":           with(`"maxBytes":1099511627776`, `"maxBytes":9223372036854775808`),
		"null inside":              with(`"ask":1`, `"ask":null`),
		"a limit's unknown field":  with(`"limit":{`, `"limit":{"tries":3,`),
		"cut off":                  string(good[:len(good)-1]),
		"something behind":         string(good) + "{}",
		"a level of no name":       with(`"substantial"`, `"enough"`),
		"a level as a number":      with(`"substantial"`, `2`),
		"over 64 KiB":              with(`{`, "{"+strings.Repeat(" ", 64<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			p := plans()[1]
			require.ErrorIs(t, p.UnmarshalJSON([]byte(text)), plan.ErrInvalid)
			require.Equal(t, plans()[1], p, "as it was")
			require.Error(t, json.Unmarshal([]byte(text), &p))
			require.Equal(t, plans()[1], p)
		})
	}
	require.NoError(t, new(plan.Plan).UnmarshalJSON(good))
}

// FuzzPlanJSON: what is refused leaves the plan as it was, what is accepted is written and read again without change, and
// validation does nothing but accept or refuse.
func FuzzPlanJSON(f *testing.F) {
	for _, p := range append(plans(), everyStep(), plan.Plan{}) {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"steps":[{"captcha":{},"image":{}}]}`))
	f.Add([]byte(`{"steps":[{"facts":[]},{"contacts":{"of":[]}}],"limit":{"for":"1h0m1s"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := plans()[0]
		if err := p.UnmarshalJSON(text); err != nil {
			require.ErrorIs(t, err, plan.ErrInvalid)
			require.Equal(t, plans()[0], p)
			return
		}
		written, err := json.Marshal(p)
		require.NoError(t, err)
		var back plan.Plan
		if len(written) <= 64<<10 { // "1.5h" and the like grow when they are written
			require.NoError(t, json.Unmarshal(written, &back))
			require.Equal(t, p, back)
			again, err := json.Marshal(back)
			require.NoError(t, err)
			require.Equal(t, string(written), string(again))
		}
		for _, images := range []int{0, 9} {
			_, _ = p.GuessProbability(images) // of a plan that cannot be it means nothing, and does not panic
		}
		if err := validate(p); err != nil {
			require.ErrorIs(t, err, plan.ErrInvalid)
		}
	})
}

// A plan stands in a file that the agency edits; the program that reads it decides what it may rest on.
func ExamplePlan_UnmarshalJSON() {
	var p plan.Plan
	err := json.Unmarshal([]byte(`{
		"name": "two-ways",
		"steps": [
			{"captcha": {}},
			{"link": {"channel": "email", "valid": "1h"}},
			{"code": {"channel": "sms", "valid": "10m"}},
			{"wait": {"for": "1d"}}
		],
		"limit": {"limit": 3, "lock": "until-unlocked"},
		"outcome": "choose-secret"
	}`), &p)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range p.Steps {
		fmt.Printf("%T\n", step)
	}
	err = json.Unmarshal([]byte(`{"name": "none", "steps": [{"link": {"chanel": "email"}}]}`), &p)
	fmt.Println(err)
	fmt.Println(p.Name)
	// Output:
	// plan.Captcha
	// plan.Link
	// plan.Code
	// plan.Wait
	// recovery: invalid plan: policyjson: policy.steps.link has no field "chanel"
	// two-ways
}
