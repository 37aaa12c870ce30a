package recovery_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

// everyStep is a plan with each sort of step, twice: with all its fields, and with none.
func everyStep() recovery.Plan {
	const email = civicpin.Email
	return recovery.Plan{
		Name: "every", Limit: lockout.Policy{Limit: 3, Lock: lockout.Timed, For: 15 * time.Minute, Ceiling: 30, Source: lockout.Rate{Limit: 9}},
		Outcome: recovery.ReissueInParts, Begin: true, Valid: 90 * time.Minute, Grant: time.Second, Repudiate: 30 * 24 * time.Hour,
		Exception: `"none" <of> these`,
		Steps: []recovery.Step{
			recovery.Captcha{},
			recovery.Facts{"birth-day", "ñ"},
			recovery.Image{},
			recovery.Questions{Ask: 1},
			recovery.Contacts{AtLeast: 2, Of: []civicpin.Channel{email, civicpin.SMS}},
			recovery.ConfirmContact{Channel: email, MayCorrect: true, Wait: 24 * time.Hour},
			recovery.Link{Channel: email, Or: []civicpin.Channel{civicpin.CertifiedEmail}, Valid: 3 * time.Minute, Code: 8},
			recovery.Code{Channel: email, Or: []civicpin.Channel{civicpin.SMS}, Valid: time.Minute, Length: 6},
			recovery.Factor("app"),
			recovery.Documents{Kinds: []string{"front"}, Types: []string{"image/jpeg"}, MaxBytes: 1 << 40},
			recovery.Operator{Role: "agency", Questions: 4, Second: true},
			recovery.Wait{For: time.Hour},
			recovery.Terms{Version: "2026"},
			recovery.Enrol{Image: true, Questions: 4},

			recovery.Facts(nil),
			recovery.Questions{},
			recovery.Contacts{},
			recovery.ConfirmContact{},
			recovery.Link{},
			recovery.Code{},
			recovery.Factor(""),
			recovery.Documents{},
			recovery.Operator{},
			recovery.Wait{},
			recovery.Terms{},
			recovery.Enrol{},
		},
	}
}

func TestPlanJSON(t *testing.T) {
	every := reflect.ValueOf(everyStep())
	for i := range every.NumField() {
		require.False(t, every.Field(i).IsZero(), "a field of Plan that this test does not try: %s", every.Type().Field(i).Name)
	}
	for _, p := range append(plans(), everyStep(), recovery.Plan{}) {
		text, err := json.MarshalIndent(p, "", "  ")
		require.NoError(t, err)
		var back recovery.Plan
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

// A run that was begun under a plan goes on under the same plan that was written and read again.
func TestRunsOutliveJSON(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "clave", ana, home)
	require.NoError(t, err)
	c := k.config
	c.Plans = nil
	text, err := json.Marshal(plans())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &c.Plans))
	again, err := recovery.New(k.vault, k.out, c)
	require.NoError(t, err)
	_, err = again.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
}

// A step of somebody else's making has no name, nor has a pointer to one of this package's.
func TestPlanJSONOfForeignSteps(t *testing.T) {
	type foreign struct{ recovery.Step }
	for _, s := range []recovery.Step{nil, foreign{}, foreign{recovery.Captcha{}}, &recovery.Captcha{}, (*recovery.Captcha)(nil)} {
		_, err := json.Marshal(recovery.Plan{Name: "p", Steps: []recovery.Step{s}})
		require.ErrorIs(t, err, recovery.ErrPlan, "%T", s)
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
		"over 64 KiB":              with(`{`, "{"+strings.Repeat(" ", 64<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			p := plans()[1]
			require.ErrorIs(t, p.UnmarshalJSON([]byte(text)), recovery.ErrPlan)
			require.Equal(t, plans()[1], p, "as it was")
			require.Error(t, json.Unmarshal([]byte(text), &p))
			require.Equal(t, plans()[1], p)
		})
	}
	require.NoError(t, new(recovery.Plan).UnmarshalJSON(good))
}

// Reading does not validate; New does, and nothing comes of a plan that cannot be.
func TestPlanJSONIsValidatedByNew(t *testing.T) {
	var p recovery.Plan
	require.NoError(t, p.UnmarshalJSON([]byte(`{"name":"p","steps":[{"facts":["birth-day"]}],"limit":{"limit":3,"lock":"until-unlocked"},"outcome":"unlocked"}`)))
	require.ErrorIs(t, construct(t, nil, p), recovery.ErrPlan, "knowing is not enough")
	require.NoError(t, p.UnmarshalJSON([]byte(`{"name":"p","steps":[{"link":{"channel":"email","valid":"3m"}}],"limit":{"limit":3,"lock":"until-unlocked"},"outcome":"unlocked"}`)))
	require.NoError(t, construct(t, nil, p))
}

// FuzzPlanJSON: what is refused leaves the plan as it was, what is accepted is written and read again without change, and
// neither has New do anything but accept or refuse.
func FuzzPlanJSON(f *testing.F) {
	for _, p := range append(plans(), everyStep(), recovery.Plan{}) {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"steps":[{"captcha":{},"image":{}}]}`))
	f.Add([]byte(`{"steps":[{"facts":[]},{"contacts":{"of":[]}}],"limit":{"for":"1h0m1s"}}`))
	k := newKitOn(f, store.NewMemory(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	f.Fuzz(func(t *testing.T, text []byte) {
		p := plans()[0]
		if err := p.UnmarshalJSON(text); err != nil {
			require.ErrorIs(t, err, recovery.ErrPlan)
			require.Equal(t, plans()[0], p)
			return
		}
		written, err := json.Marshal(p)
		require.NoError(t, err)
		var back recovery.Plan
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
		c := k.config
		c.Plans = []recovery.Plan{p}
		if _, err := recovery.New(k.vault, k.out, c); err != nil {
			require.ErrorIs(t, err, recovery.ErrPlan)
		}
	})
}

// A plan stands in a file that the agency edits; the program that reads it decides what it may rest on.
func ExamplePlan_UnmarshalJSON() {
	var p recovery.Plan
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
	// recovery.Captcha
	// recovery.Link
	// recovery.Code
	// recovery.Wait
	// recovery: invalid plan: policyjson: policy.steps.link has no field "chanel"
	// two-ways
}
