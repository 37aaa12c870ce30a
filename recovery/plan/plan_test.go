package plan_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

func TestDefaults(t *testing.T) {
	p := plan.Plan{Name: "p"}.WithDefaults()
	require.Equal(t, time.Hour, p.Valid)
	require.Equal(t, 15*time.Minute, p.Grant)
	require.Equal(t, 7*24*time.Hour, p.Repudiate)
	require.Equal(t, civicpin.Low, p.Keeps)
	set := plan.Plan{Valid: 1, Grant: 2, Repudiate: 3}.WithDefaults()
	require.Equal(t, []time.Duration{1, 2, 3}, []time.Duration{set.Valid, set.Grant, set.Repudiate})
}

// Whoever changes a list of theirs afterwards changes nothing.
func TestDefaultsShareNothing(t *testing.T) {
	theirs := everyStep()
	ours := theirs.WithDefaults()
	for _, s := range theirs.Steps {
		switch s := s.(type) {
		case plan.Facts:
			clear(s)
		case plan.Contacts:
			clear(s.Of)
		case plan.Link:
			clear(s.Or)
		case plan.Code:
			clear(s.Or)
		case plan.Documents:
			clear(s.Kinds)
			clear(s.Types)
		}
	}
	clear(theirs.Steps)
	clear(theirs.OwnChannels)
	clear(theirs.Exceptions)
	require.Equal(t, everyStep(), ours)
}

// The digest is stored with each run: if it changed, an upgrade would end all runs under way.
func TestDigest(t *testing.T) {
	p := plan.Plan{
		Name: "p", Creates: true, Outcome: plan.ChooseSecret, Steps: []plan.Step{
			plan.Captcha{},
			plan.Facts{"birth-day"},
			plan.Questions{Ask: 1},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true, Wait: 72 * time.Hour},
			plan.Link{Channel: civicpin.Email, Or: []civicpin.Channel{civicpin.CertifiedEmail}, Valid: 3 * time.Minute, Code: 8},
			plan.Approval{Role: "agency", Second: true},
		},
	}
	digest := func(change func(*plan.Plan)) string {
		p := p
		change(&p)
		d, err := p.Digest()
		require.NoError(t, err)
		return hex.EncodeToString(d)
	}
	const pinned = "1f701e65c1bfc791ab669ef854fcfee6"
	require.Equal(t, pinned, digest(func(*plan.Plan) {}))
	for name, change := range map[string]func(*plan.Plan){
		"Name":       func(p *plan.Plan) { p.Name = "q" },
		"Limit":      func(p *plan.Plan) { p.Limit = threeTries() },
		"Keeps":      func(p *plan.Plan) { p.Keeps = civicpin.High },
		"Valid":      func(p *plan.Plan) { p.Valid = time.Hour },
		"Grant":      func(p *plan.Plan) { p.Grant = time.Hour },
		"Repudiate":  func(p *plan.Plan) { p.Repudiate = time.Hour },
		"Exceptions": func(p *plan.Plan) { p.Exceptions = []civicpin.Exception{{Clause: "two kinds", Reason: "named"}} },
	} {
		require.Equal(t, pinned, digest(change), name)
	}
	for name, change := range map[string]func(*plan.Plan){
		"Creates": func(p *plan.Plan) { p.Creates = false },
		"Outcome": func(p *plan.Plan) { p.Outcome = plan.Unlocked },
		"Steps":   func(p *plan.Plan) { p.Steps = p.Steps[1:] },
	} {
		require.NotEqual(t, pinned, digest(change), name)
	}
	_, err := plan.Plan{Steps: []plan.Step{nil}}.Digest()
	require.ErrorIs(t, err, plan.ErrInvalid)
}

func TestHasty(t *testing.T) {
	const email, day = civicpin.Email, 24 * time.Hour
	facts, link := plan.Facts{"birth-day"}, plan.Link{Channel: email, Valid: time.Hour}
	sms := plan.Code{Channel: civicpin.SMS, Valid: time.Minute}
	corrects := plan.ConfirmContact{Channel: email, MayCorrect: true}
	rests := plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 3 * day}
	for name, tc := range map[string]struct {
		steps []plan.Step
		hasty bool
	}{
		"an address that the visitor gives": {[]plan.Step{facts, corrects, link}, true},
		"with three days of rest":           {[]plan.Step{facts, rests, link}, false},
		"with a code to another channel":    {[]plan.Step{facts, corrects, link, sms}, false},
		"with an operator":                  {[]plan.Step{facts, corrects, link, plan.Approval{Role: "agency"}}, false},
		"with a factor before":              {[]plan.Step{plan.Factor("app"), corrects, link}, false},
		"with a factor after":               {[]plan.Step{facts, corrects, link, plan.Factor("app")}, false},
		"with a link before":                {[]plan.Step{link, corrects, link}, false},
		"an address on file":                {[]plan.Step{facts, plan.ConfirmContact{Channel: email}, link}, false},
	} {
		require.Equal(t, tc.hasty, plan.Plan{Creates: true, Steps: tc.steps}.Hasty(), name)
		require.False(t, plan.Plan{Steps: tc.steps}.Hasty(), "%s, of a plan that begins nothing", name)
	}
}

// A contact that is only confirmed is not corrected, whatever else the plan has.
func TestCorrects(t *testing.T) {
	confirms := plan.ConfirmContact{Channel: civicpin.Email}
	require.False(t, plan.Plan{Steps: []plan.Step{plan.Captcha{}, confirms, aLink}}.Corrects())
	confirms.MayCorrect = true
	require.True(t, plan.Plan{Steps: []plan.Step{plan.Captcha{}, confirms, aLink}}.Corrects())
}

func TestRests(t *testing.T) {
	require.Zero(t, plans()[1].Rests())
	require.Equal(t, (72+1+96+1)*time.Hour, everyStep().Rests(), "a wait, and a contact that may be corrected, and the notices")
}

func TestSentBy(t *testing.T) {
	const email, sms = civicpin.Email, civicpin.SMS
	const pec = civicpin.CertifiedEmail
	d, ok := plan.SentBy(plan.Link{Channel: email, Or: []civicpin.Channel{pec}, Valid: time.Hour, Code: 6})
	require.True(t, ok)
	require.Equal(t, plan.Delivery{Channels: []civicpin.Channel{email, pec}, Valid: time.Hour, Link: true, Code: 6}, d)
	d, ok = plan.SentBy(plan.Code{Channel: sms, Valid: time.Minute})
	require.True(t, ok)
	require.Equal(t, plan.Delivery{Channels: []civicpin.Channel{sms}, Valid: time.Minute, Code: 8}, d, "the default length")
}

// Which steps send and which are guessed decides what recovery counts and compares together.
func TestSortsOfSteps(t *testing.T) {
	for _, s := range everyStep().Steps {
		_, sends := plan.SentBy(s)
		switch s.(type) {
		case plan.Facts, plan.Image, plan.Questions, plan.Contacts:
			require.True(t, plan.Guessed(s), "%T", s)
			require.False(t, sends, "%T", s)
		case plan.Link, plan.Code:
			require.False(t, plan.Guessed(s), "%T", s)
			require.True(t, sends, "%T", s)
		default:
			require.False(t, plan.Guessed(s) || sends, "%T", s)
		}
	}
}

// everyStep is a plan with each sort of step, twice: with all its fields, and with none.
func everyStep() plan.Plan {
	const email = civicpin.Email
	return plan.Plan{
		Name: "every", Outcome: plan.ReissueInParts, Keeps: civicpin.Substantial, Certified: true, Creates: true,
		Limit: lockout.Policy{
			Limit: 3, Lock: lockout.Timed, For: 15 * time.Minute, Ceiling: 30, Source: lockout.SourceLimits{Host: lockout.SourceLimit{Failures: 9}},
		},
		Valid: 90 * time.Minute, Grant: time.Second, Repudiate: 30 * 24 * time.Hour,
		Exceptions:  []civicpin.Exception{{Clause: "two kinds", Reason: `"none" <of> these`}, {}},
		OwnChannels: []civicpin.Channel{"kiosk"},
		Steps: []plan.Step{
			plan.Captcha{},
			plan.Facts{"birth-day", "ñ"},
			plan.Image{},
			plan.Questions{Ask: 1},
			plan.Contacts{AtLeast: 2, Of: []civicpin.Channel{email, civicpin.SMS}},
			plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 72 * time.Hour},
			plan.Link{Channel: email, Or: []civicpin.Channel{civicpin.CertifiedEmail}, Valid: 3 * time.Minute, Code: 8},
			plan.Code{Channel: email, Or: []civicpin.Channel{civicpin.SMS}, Valid: time.Minute, Length: 6},
			plan.Factor("app"),
			plan.Documents{Kinds: []string{"front"}, Types: []string{"image/jpeg"}, MaxBytes: 1 << 40},
			plan.Approval{Role: "agency", Questions: 4, Second: true},
			plan.Wait{For: 96 * time.Hour},
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
		`{"questions":{"ask":1}},{"confirmContact":{"channel":"email","mayCorrect":true,"wait":"3d"}},`+
		`{"link":{"channel":"email","valid":"3m"}}],"limit":{"limit":3,"lock":"until-unlocked"},"outcome":"choose-secret",`+
		`"exceptions":[{"clause":"guess budget",`+
		`"reason":"with a contact corrected it rests on what is known, and three days in which the old one can object"}]}`, string(text))
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
	with := testkit.Replacing(t, string(good))
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
	// recovery: invalid plan: policyjson: line 1, column 38: steps[0].link: want one of the fields channel, or, valid, code, and there is "chanel"
	// two-ways
}

// Knowing is not enough, whatever exception is named.
func TestKnowledgeAloneDoesNotConstruct(t *testing.T) {
	know := []plan.Step{
		plan.Captcha{},
		plan.Facts{"birth-day"},
		plan.Image{},
		plan.Questions{Ask: 4},
		plan.Contacts{AtLeast: 2},
	}
	more := []plan.Step{
		plan.ConfirmContact{Channel: civicpin.Email},
		plan.Terms{Version: "1"},
		plan.Wait{For: 24 * time.Hour},
		plan.Documents{Kinds: []string{"a"}, Types: []string{"image/jpeg"}, MaxBytes: 1},
		plan.Enrol{Image: true},
	}
	for n := 1; n <= len(know); n++ {
		for m := 0; m <= len(more); m++ {
			p := plan.Plan{
				Name: "known", Steps: slices.Concat(know[:n], more[:m]), Limit: threeTries(), Outcome: plan.Unlocked,
			}
			p.Exceptions = testkit.Except(p.Breaks(everything()))
			require.ErrorIs(t, validate(p), plan.ErrInvalid, "%d %d", n, m)
		}
	}
}

func TestPlansThatDoNotConstruct(t *testing.T) {
	const email, sms = civicpin.Email, civicpin.SMS
	good := plan.Plan{
		Name: "p", Limit: threeTries(), Outcome: plan.ChooseSecret,
		Steps: []plan.Step{plan.Captcha{}, plan.Link{Channel: email, Valid: time.Hour}},
	}
	require.NoError(t, validate(good))
	remembering := good
	remembering.Limit.Devices = 2
	require.ErrorContains(t, validate(remembering), "p: lockout: invalid policy: Devices is 2, and this service remembers no device")
	link := plan.Link{Channel: email, Valid: time.Hour}
	sms10 := plan.Code{Channel: sms, Valid: 10 * time.Minute}
	steps := func(s ...plan.Step) func(*plan.Plan) { return func(p *plan.Plan) { p.Steps = s } }
	for name, change := range map[string]func(*plan.Plan){
		"zero":                  func(p *plan.Plan) { *p = plan.Plan{} },
		"no name":               func(p *plan.Plan) { p.Name = "" },
		"a bad name":            func(p *plan.Plan) { p.Name = "a/b" },
		"no limit":              func(p *plan.Plan) { p.Limit = lockout.Policy{} },
		"devices":               func(p *plan.Plan) { p.Limit.Devices = 2 },
		"no outcome":            func(p *plan.Plan) { p.Outcome = "" },
		"begin and reissue":     func(p *plan.Plan) { p.Creates, p.Outcome = true, plan.ReissueInParts },
		"substantial by a link": func(p *plan.Plan) { p.Keeps = civicpin.Substantial },
		"too long":              func(p *plan.Plan) { p.Valid = 8 * 24 * time.Hour },
		"a long grant":          func(p *plan.Plan) { p.Grant = 25 * time.Hour },
		"no time to repudiate":  func(p *plan.Plan) { p.Repudiate = time.Hour },
		"no steps":              steps(),
		"seventeen steps":       func(p *plan.Plan) { p.Steps = slices.Repeat([]plan.Step{link}, 17) },
		"a nil step":            steps(nil, link),
		"captcha later":         steps(link, plan.Captcha{}),
		"no facts":              steps(plan.Facts{}, link),
		"a fact without name":   steps(plan.Facts{""}, link),
		"no questions":          steps(plan.Questions{}, link),
		"five questions":        steps(plan.Questions{Ask: 5}, link),
		"no contacts":           steps(plan.Contacts{}, link),
		"an unknown factor":     steps(plan.Factor("nothing"), link),
		"an unknown role":       steps(plan.Approval{Role: "nobody"}, link),
		"a link to a telephone": steps(plan.Link{Channel: sms, Valid: time.Minute}),
		"a link that could go to a telephone": steps(plan.Link{
			Channel: email, Or: []civicpin.Channel{civicpin.Voice}, Valid: time.Minute,
		}),
		"a link by letter":         steps(plan.Link{Channel: civicpin.Letter, Valid: time.Minute}),
		"a link for two days":      steps(plan.Link{Channel: email, Valid: 48 * time.Hour}),
		"a link for no time":       steps(plan.Link{Channel: email}),
		"a code for an hour":       steps(plan.Code{Channel: sms, Valid: time.Hour}),
		"a code of five":           steps(plan.Code{Channel: sms, Valid: time.Minute, Length: 5}),
		"a code of thirteen":       steps(plan.Link{Channel: email, Valid: time.Minute, Code: 13}),
		"waiting before a proof":   steps(plan.Captcha{}, plan.Wait{For: 72 * time.Hour}, link),
		"terms before a proof":     steps(plan.Terms{Version: "1"}, link),
		"enrolling before a proof": steps(plan.Enrol{Image: true}, link),
		"enrolling after a guess":  steps(plan.Facts{"birth-day"}, plan.Enrol{Image: true}, link),
		"enrolling nothing":        steps(link, plan.Enrol{}),
		"a short wait":             steps(link, plan.Wait{For: 72*time.Hour - 1}),
		"a wait without end":       steps(link, plan.Wait{For: 31 * 24 * time.Hour}),
		"no documents":             steps(plan.Documents{}, link),
		"correcting before a proof": steps(
			plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 72 * time.Hour}, link),
		"a short wait of a correction": steps(
			plan.Facts{"birth-day"}, plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 72*time.Hour - 1}, link, sms10),
		"confirming twice": steps(
			plan.ConfirmContact{Channel: email}, plan.ConfirmContact{Channel: email}, link),
		"a wait without a correction": steps(plan.ConfirmContact{Channel: email, Wait: 72 * time.Hour}, link),
	} {
		p := good
		change(&p)
		require.ErrorIs(t, validate(p), plan.ErrInvalid, name)
	}
}

// excepted is a plan with an exception, or none.
func excepted(outcome plan.Outcome, clause string, s []plan.Step) plan.Plan {
	p := plan.Plan{Name: "p", Limit: threeTries(), Outcome: outcome, Steps: s}
	if clause != "" {
		p.Exceptions = []civicpin.Exception{{Clause: clause, Reason: "named"}}
	}
	return p
}

// An address that the visitor gives proves nothing about the subject: the plan has to name what it costs, and ask for another
// proof.
func TestCorrectedContacts(t *testing.T) {
	const email = civicpin.Email
	made := func(clause string, s ...plan.Step) plan.Plan { return excepted(plan.ChooseSecret, clause, s) }
	ask := plan.Questions{Ask: 4}
	link := plan.Link{Channel: email, Valid: time.Hour}
	rests := plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 72 * time.Hour}
	hurries := plan.ConfirmContact{Channel: email, MayCorrect: true}
	sms := plan.Code{Channel: civicpin.SMS, Valid: time.Minute}
	office := plan.Approval{Role: "agency", Second: true}

	require.ErrorIs(t, validate(made("guess budget", ask, hurries, link)), plan.ErrInvalid, "the only proof, and at once")
	require.ErrorIs(t, validate(made("", ask, rests, link)), plan.ErrInvalid, "over the budget")
	require.NoError(t, validate(made("guess budget", ask, rests, link)))
	require.ErrorContains(t, validate(made("two kinds", ask, rests, link)), `Steps is a chance of 0.0e+00 to guess, 1.6e-01 with`)
	require.ErrorContains(t, validate(made("guess budget", ask, hurries, link, sms)), "is not broken: remove the exception")
	require.NoError(t, validate(made("", ask, hurries, link, sms)), "a code to a contact that stays")
	require.NoError(t, validate(made("", ask, hurries, office, link)), "an operator")

	usual, corrected := made("", ask, rests, link).GuessProbability(9)
	require.Zero(t, usual, "a link cannot be guessed")
	require.InDelta(t, 100*0.2*0.2*0.2*0.2, corrected, 1e-9)
	usual, _ = made("", ask, sms).GuessProbability(9)
	require.Less(t, usual, lockout.Budget)
	require.Positive(t, usual)
	_, corrected = made("", plan.Image{}, rests, link).GuessProbability(1000)
	require.InDelta(t, 0.1, corrected, 1e-9)
}

// A member of staff who begins a recovery as a stranger could approve their own.
func TestStaffAloneDoNotChoose(t *testing.T) {
	made := func(outcome plan.Outcome, clause string, s ...plan.Step) plan.Plan {
		return excepted(outcome, clause, s)
	}
	alone, two := plan.Approval{Role: "agency"}, plan.Approval{Role: "agency", Second: true}
	link := plan.Link{Channel: civicpin.Email, Valid: time.Hour}
	require.ErrorIs(t, validate(made(plan.ChooseSecret, "", alone)), plan.ErrInvalid)
	require.NoError(t, validate(made(plan.ChooseSecret, "two operators", alone)))
	require.Equal(t, []civicpin.Breach{{
		Clause: "two operators", Field: "Steps", Value: "an Approval by one operator alone",
		Set: "Approval.Second, or a proof by the subject",
	}}, made(plan.ChooseSecret, "", alone).Breaks(everything()))
	require.NoError(t, validate(made(plan.ChooseSecret, "", two)))
	require.NoError(t, validate(made(plan.ChooseSecret, "", two, alone)), "the second stays asked for")
	require.NoError(t, validate(made(plan.ChooseSecret, "", alone, link)))
	require.NoError(t, validate(made(plan.ChooseSecret, "", alone, plan.Factor("app"))))
	require.NoError(t, validate(made(plan.Unlocked, "", alone)))
	require.NoError(t, validate(made(plan.ReissueInParts, "", alone)), "the parts go to the subject's contacts")
	require.ErrorIs(t, validate(made(plan.ChooseSecret, "",
		plan.Questions{Ask: 1}, plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true}, alone, link,
	)), plan.ErrInvalid, "a link to an address that they gave themselves")
}

// A message to a mailbox of the caller's own is good for as long as one to any mailbox. Where a contact may be corrected, links
// go to that contact, by whichever of their channels.
func TestMailOfTheCallersOwn(t *testing.T) {
	around := everything()
	around.Mail = []civicpin.Channel{"citizen-mail"}
	for _, steps := range [][]plan.Step{
		{plan.Code{Channel: "citizen-mail", Valid: 24 * time.Hour}},
		{plan.Link{Channel: civicpin.Email, Or: around.Mail, Valid: 24 * time.Hour, Code: 8}},
		{
			plan.Facts{"a"},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true},
			plan.Code{Channel: civicpin.SMS, Valid: time.Minute},
			plan.Link{Channel: "citizen-mail", Or: []civicpin.Channel{civicpin.Email}, Valid: time.Hour},
		},
	} {
		p := plan.Plan{Name: "p", Limit: threeTries(), Outcome: plan.ChooseSecret, Steps: steps}
		require.ErrorContains(t, p.WithDefaults().Validate(around), `lists the channel "citizen-mail"`)
		p.OwnChannels = around.Mail
		require.NoError(t, p.WithDefaults().Validate(around))
	}
}

func TestValidPlans(t *testing.T) {
	for _, p := range plans() {
		require.NoError(t, validate(p), p.Name)
	}
}

// Each step has a rule of its own, which says in its own words what is wrong.
func TestStepRules(t *testing.T) {
	const email, day = civicpin.Email, 24 * time.Hour
	const pec = civicpin.CertifiedEmail
	phone := []civicpin.Channel{civicpin.SMS}
	link := plan.Link{Channel: email, Valid: time.Hour}
	corrects := plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 3 * day}
	docs := plan.Documents{Kinds: []string{"front"}, Types: []string{"image/jpeg"}, MaxBytes: 1}
	bare := func(change func(*plan.Documents)) plan.Documents { d := docs; change(&d); return d }
	steps := func(s ...plan.Step) []plan.Step { return s }
	for _, tc := range []struct {
		steps  []plan.Step // the last is the wrong one
		with   func(*plan.Facilities)
		expect string
	}{
		{steps(link, plan.Captcha{}), nil, "step 2, plan.Captcha: comes first"},
		{steps(plan.Facts{"a"}), func(f *plan.Facilities) { f.Register = false }, "step 1, plan.Facts: needs Config.Register"},
		{steps(plan.Facts{"a"}, plan.Facts{"b"}), nil, "not 1 to 8 names, or a second such step"},
		{steps(make(plan.Facts, 9)), nil, "not 1 to 8 names"},
		{steps(plan.Image{}), func(f *plan.Facilities) { f.Images = 1 }, "needs Config.Images"},
		{steps(plan.Questions{Ask: 4}), func(f *plan.Facilities) { f.Questions = 3 }, "Ask is not 1 to 4 of Config.Questions"},
		{steps(plan.Contacts{AtLeast: 5}), nil, "AtLeast is not 1 to 4"},
		{steps(plan.ConfirmContact{Channel: email}, plan.ConfirmContact{Channel: email}), nil, "comes once"},
		{steps(plan.ConfirmContact{}), nil, "needs a channel that is not printed"},
		{steps(plan.ConfirmContact{Channel: email, MayCorrect: true}), nil, "MayCorrect comes after a guess or a proof"},
		{steps(link, plan.ConfirmContact{Channel: email, Wait: 3 * day}), nil, "Wait needs MayCorrect, and is 72 hours to 30 days"},
		{steps(link, plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 31 * day}), nil, "Wait needs MayCorrect, and is 72"},
		{steps(plan.Link{Channel: civicpin.Letter, Valid: time.Minute}), nil, "needs a channel that is not printed"},
		{steps(plan.Link{Channel: civicpin.SMS, Valid: time.Minute}), nil, "no message to a telephone has a link"},
		{steps(plan.Link{Channel: email, Valid: time.Minute, Code: 5}), nil, "the code is not of 6 to 12 characters"},
		{steps(plan.Link{Channel: civicpin.Push, Valid: time.Hour}), nil, "Valid is not 1 minute to 10 minutes"},
		{steps(plan.Link{Channel: "own", Valid: time.Hour}), nil, "Valid is not 1 minute to 10 minutes"},
		{steps(plan.Code{Channel: "own", Valid: day}), nil, "Valid is not 1 minute to 10 minutes"},
		{steps(plan.Code{Channel: email, Or: []civicpin.Channel{"own"}, Valid: time.Hour}), nil, "Valid is not 1 minute to 10 minutes"},
		{steps(plan.Code{Channel: "own", Valid: 25 * time.Hour}), func(f *plan.Facilities) {
			f.Mail = []civicpin.Channel{"own"}
		}, "Valid is not 1 minute to 24 hours"},
		{steps(plan.Code{Channel: email, Valid: 25 * time.Hour}), nil, "Valid is not 1 minute to 24 hours"},
		{steps(plan.Code{Channel: email, Or: phone, Valid: time.Hour}), nil, "Valid is not 1 minute to 10 minutes"},
		{steps(plan.Code{Channel: email, Valid: time.Minute, Length: 13}), nil, "the code is not of 6 to 12 characters"},
		{steps(plan.Factor("app")), func(f *plan.Facilities) { f.Factors = nil }, "not one of Config.Factors"},
		{steps(docs), func(f *plan.Facilities) { f.Documents = false }, "needs Config.Documents"},
		{steps(bare(func(d *plan.Documents) { d.Kinds = []string{""} })), nil, "Kinds are not 1 to 8 names"},
		{steps(bare(func(d *plan.Documents) { d.Types = nil })), nil, "lists no Types"},
		{steps(bare(func(d *plan.Documents) { d.MaxBytes = 0 })), nil, "MaxBytes is below 1"},
		{steps(plan.Approval{Role: "agency"}), func(f *plan.Facilities) { f.Roles = nil }, "Role is not one of Config.Roles"},
		{steps(plan.Approval{Role: "agency", Questions: 5}), nil, "Questions is not 0 to 4 of Config.Questions"},
		{steps(plan.Facts{"a"}, corrects, link, plan.Link{Channel: pec, Valid: time.Hour}), nil, "its reader would take the correction over"},
		{steps(plan.Facts{"a"}, corrects, plan.Link{Channel: pec, Valid: time.Hour}, link), nil, "its reader would take the correction over"},
		{steps(link, plan.Enrol{Image: true}, link), nil, "its reader would take the answers over"},
		{steps(plan.Captcha{}, plan.Wait{For: 3 * day}), nil, "comes after a guess or a proof"},
		{steps(link, plan.Wait{For: 31 * day}), nil, "For is not 72 hours to 30 days"},
		{steps(plan.Facts{"a"}, plan.Terms{Version: "1"}), nil, "comes after a proof"},
		{steps(link, plan.Terms{}), nil, "Version is not 1 to 64 bytes"},
		{steps(plan.Facts{"a"}, plan.Enrol{Image: true}), nil, "comes after a proof"},
		{steps(link, plan.Enrol{Questions: 7}), nil, "asks for nothing, or for more than"},
		{steps(link, plan.Enrol{Image: true}), func(f *plan.Facilities) { f.Images = 0 }, "asks for nothing, or for more than"},
		{steps(nil, link), nil, "step 1, <nil>: not a step of this package"},
		{steps(&plan.Captcha{}, link), nil, "step 1, *plan.Captcha: not a step of this package"},
		{steps((*plan.Link)(nil), link), nil, "not a step of this package"},
		{steps(struct{ plan.Step }{link}), nil, "not a step of this package"},
	} {
		around := everything()
		if tc.with != nil {
			tc.with(&around)
		}
		p := plan.Plan{Name: "p", Limit: threeTries(), Outcome: plan.ChooseSecret, Steps: tc.steps}
		err := p.WithDefaults().Validate(around)
		require.ErrorIs(t, err, plan.ErrInvalid, tc.expect)
		require.ErrorContains(t, err, tc.expect)
	}
	unlock := plan.Plan{
		Name: "p", Limit: threeTries(), Outcome: plan.Unlocked,
		Steps: steps(link, plan.ConfirmContact{Channel: email, MayCorrect: true}),
	}
	require.ErrorContains(t, validate(unlock), "an unlock corrects no contact")
}

// A bound is the least and the most of something that plans have, and what is said beyond.
type bound struct {
	what        string
	set         func(p *plan.Plan, around *plan.Facilities, n int64)
	least, most int64
	says        string
}

// bounds are all numbers and times of plans that are bounded, in plans that are valid but for them.
func bounds() []bound {
	const email, sms = civicpin.Email, civicpin.SMS
	const minute, hour, day = int64(time.Minute), int64(time.Hour), 24 * int64(time.Hour)
	const open = -1 << 40 // of what has no least or no most
	link := plan.Link{Channel: email, Valid: time.Hour}
	own := []civicpin.Channel{"own"}
	last := func(step func(n int) plan.Step) func(*plan.Plan, *plan.Facilities, int64) {
		return func(p *plan.Plan, _ *plan.Facilities, n int64) { p.Steps = []plan.Step{link, step(int(n))} }
	}
	lasts := func(step func(d time.Duration) plan.Step) func(*plan.Plan, *plan.Facilities, int64) {
		return func(p *plan.Plan, _ *plan.Facilities, n int64) { p.Steps = []plan.Step{link, step(time.Duration(n))} }
	}
	names := func(n int) []string {
		list := make([]string, max(0, n))
		for i := range list {
			list[i] = fmt.Sprint("n", i)
		}
		return list
	}
	docs := func(n int, types []string, size int64) plan.Step {
		return plan.Documents{Kinds: names(n), Types: types, MaxBytes: size}
	}
	return []bound{
		{"Name", func(p *plan.Plan, _ *plan.Facilities, n int64) {
			p.Name = strings.Repeat("n", int(n))
		}, 1, 32, "is not 1 to 32 ASCII letters"},
		{"Steps", func(p *plan.Plan, _ *plan.Facilities, n int64) {
			p.Steps = slices.Repeat([]plan.Step{link}, int(n))
		}, 1, 16, "not 1 to 16 steps"},
		{"Valid", func(p *plan.Plan, _ *plan.Facilities, n int64) { p.Valid = time.Duration(n) }, minute, 7 * day, "Valid is not 1 minute to 7 days"},
		{"Grant", func(p *plan.Plan, _ *plan.Facilities, n int64) { p.Grant = time.Duration(n) }, minute, day, "Grant is not 1 minute to 24 hours"},
		{"Repudiate", func(p *plan.Plan, _ *plan.Facilities, n int64) {
			p.Repudiate = time.Duration(n)
		}, day, 60 * day, "Repudiate is not 1 to 60 days"},
		{"Facts", last(func(n int) plan.Step { return plan.Facts(names(n)) }), 1, 8, "step 2, plan.Facts: not 1 to 8 names"},
		{"Questions.Ask", last(func(n int) plan.Step { return plan.Questions{Ask: n} }), 1, 4, "Ask is not 1 to 4"},
		{"Config.Questions, asked", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps, around.Questions = []plan.Step{plan.Questions{Ask: 2}, link}, int(n)
		}, 2, open, "Ask is not 1 to 4 of Config.Questions"},
		{"Config.Images", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps, around.Images = []plan.Step{plan.Image{}, link}, int(n)
		}, 2, open, "needs Config.Images"},
		{"Contacts.AtLeast", last(func(n int) plan.Step { return plan.Contacts{AtLeast: n} }), 1, 4, "AtLeast is not 1 to 4"},
		{"ConfirmContact.Wait", lasts(func(d time.Duration) plan.Step {
			return plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: d}
		}), 72 * hour, 30 * day, "Wait needs MayCorrect, and is 72 hours to 30 days"},
		{"ConfirmContact.Wait, without MayCorrect", lasts(func(d time.Duration) plan.Step {
			return plan.ConfirmContact{Channel: email, Wait: d}
		}), 0, 0, "Wait needs MayCorrect, and is 72 hours to 30 days"},
		{"Wait.For", lasts(func(d time.Duration) plan.Step { return plan.Wait{For: d} }), 72 * hour, 30 * day, "For is not 72 hours to 30 days"},
		{"Terms.Version", last(func(n int) plan.Step {
			return plan.Terms{Version: strings.Repeat("v", n)}
		}), 1, 64, "Version is not 1 to 64 bytes"},
		{"Enrol.Questions", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps, around.Questions = []plan.Step{link, plan.Enrol{Questions: int(n)}}, 20
		}, 1, 8, "asks for nothing, or for more than"},
		{"Enrol.Questions, with an image", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps, around.Questions = []plan.Step{link, plan.Enrol{Questions: int(n), Image: true}}, 20
		}, 0, 8, "asks for nothing, or for more than"},
		{"Config.Questions, enrolled", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps, around.Questions = []plan.Step{link, plan.Enrol{Questions: 5}}, int(n)
		}, 5, open, "asks for nothing, or for more than"},
		{"Config.Images, enrolled", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps, around.Images = []plan.Step{link, plan.Enrol{Image: true}}, int(n)
		}, 2, open, "asks for nothing, or for more than"},
		{"Link.Valid", lasts(func(d time.Duration) plan.Step { return plan.Link{Channel: email, Valid: d} }), minute, day, "Valid is not 1 minute to 24 hours"},
		{"Link.Valid, by push", lasts(func(d time.Duration) plan.Step {
			return plan.Link{Channel: email, Or: []civicpin.Channel{civicpin.Push}, Valid: d}
		}), minute, 10 * minute, "Valid is not 1 minute to 10 minutes"},
		{"Code.Valid", lasts(func(d time.Duration) plan.Step { return plan.Code{Channel: sms, Valid: d} }), minute, 10 * minute, "Valid is not 1 minute to 10 minutes"},
		{"Code.Valid, to another mailbox", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps = []plan.Step{plan.Code{Channel: email, Or: own, Valid: time.Duration(n)}}
			p.OwnChannels, around.Mail = own, own
		}, minute, day, "Valid is not 1 minute to 24 hours"},
		{"Code.Length", last(func(n int) plan.Step {
			return plan.Code{Channel: sms, Valid: time.Minute, Length: n}
		}), 6, 12, "the code is not of 6 to 12 characters"},
		{"Link.Code", last(func(n int) plan.Step {
			return plan.Link{Channel: email, Valid: time.Minute, Code: n}
		}), 6, 12, "the code is not of 6 to 12 characters"},
		{"Documents.Kinds", last(func(n int) plan.Step { return docs(n, names(1), 1) }), 1, 8, "Kinds are not 1 to 8 names"},
		{"Documents.Types", last(func(n int) plan.Step { return docs(1, names(n), 1) }), 1, open, "lists no Types"},
		{"Documents.MaxBytes", last(func(n int) plan.Step { return docs(1, names(1), int64(n)) }), 1, open, "MaxBytes is below 1"},
		{"Approval.Questions", last(func(n int) plan.Step {
			return plan.Approval{Role: "agency", Questions: n}
		}), 0, 4, "Questions is not 0 to 4 of Config.Questions"},
		{"Config.Questions, of staff", func(p *plan.Plan, around *plan.Facilities, n int64) {
			p.Steps, around.Questions = []plan.Step{link, plan.Approval{Role: "agency", Questions: 3}}, int(n)
		}, 3, open, "Questions is not 0 to 4 of Config.Questions"},
	}
}

// Each bound is kept exactly: what is one less or one more is refused, in the words of that bound.
func TestBounds(t *testing.T) {
	for _, b := range bounds() {
		check := func(n int64, holds bool) {
			t.Helper()
			around := everything()
			p := plan.Plan{
				Name: "p", Limit: threeTries(), Outcome: plan.ChooseSecret,
				Steps: []plan.Step{plan.Link{Channel: civicpin.Email, Valid: time.Hour}},
			}.WithDefaults()
			b.set(&p, &around, n)
			p.Exceptions = testkit.Except(p.Breaks(around))
			if holds {
				require.NoError(t, p.Validate(around), "%s of %d", b.what, n)
				return
			}
			require.ErrorContains(t, p.Validate(around), b.says, "%s of %d", b.what, n)
		}
		check(b.least, true)
		check(b.least-1, false)
		if b.most < b.least {
			continue
		}
		check(b.most, true)
		check(b.most+1, false)
	}
}

// A channel that is misspelt is found wherever it stands.
func TestEachChannelIsKnown(t *testing.T) {
	const email, wrong civicpin.Channel = civicpin.Email, "emial"
	link := plan.Link{Channel: email, Valid: time.Minute}
	or := []civicpin.Channel{wrong}
	for _, step := range []plan.Step{
		plan.Link{Channel: wrong, Valid: time.Minute},
		plan.Link{Channel: email, Or: or, Valid: time.Minute},
		plan.Code{Channel: wrong, Valid: time.Minute},
		plan.Code{Channel: email, Or: or, Valid: time.Minute},
		plan.Contacts{AtLeast: 1, Of: or},
		plan.ConfirmContact{Channel: wrong},
	} {
		p := plan.Plan{Name: "p", Limit: threeTries(), Outcome: plan.ChooseSecret, Steps: []plan.Step{link, step}}
		err := validate(p)
		require.ErrorIs(t, err, plan.ErrInvalid, "%#v", step)
		require.ErrorContains(t, err, `p: Steps lists the channel "emial"`, "%#v", step)
		p.OwnChannels = or
		require.NoError(t, validate(p), "%#v", step)
	}
}

// A chance of exactly the budget is within it; what is over says by how much.
func TestGuessBudget(t *testing.T) {
	chance := func(images int) []civicpin.Breach {
		return plan.Plan{
			Limit: lockout.Policy{Ceiling: 1}, Outcome: plan.Unlocked,
			Steps: []plan.Step{plan.Image{}, plan.Factor("app")},
		}.Breaks(plan.Facilities{Images: images})
	}
	require.Empty(t, chance(10))
	require.Equal(t, []civicpin.Breach{{
		Clause: "guess budget", Field: "Steps", Value: "a chance of 1.1e-04 to guess, 1.1e-04 with a contact corrected",
		Set: "what leaves at most 1e-04",
	}}, chance(9))
	for images, want := range map[int]float64{0: 0.0016, 1: 0.0016, 2: 0.0008} {
		p := plan.Plan{Limit: lockout.Policy{Ceiling: 1}, Steps: []plan.Step{plan.Image{}, plan.Questions{Ask: 4}}}
		usual, _ := p.GuessProbability(images)
		require.InDelta(t, want, usual, 1e-9, "no image is one that is known")
	}
	require.Equal(t, []civicpin.Breach{{
		Clause: "two kinds", Field: "Certified", Value: "true", Set: "false",
	}}, plan.Plan{Certified: true, Steps: []plan.Step{aLink}}.Breaks(plan.Facilities{}))
}

// What an upload may be, to the byte.
func TestProblemsOfUploads(t *testing.T) {
	docs := plan.Documents{Kinds: []string{"front"}, Types: []string{"image/jpeg", "image/png"}, MaxBytes: 3}
	for _, tc := range []struct {
		mediaType string
		size      int64
		clean     bool
		want      string
	}{
		{"image/jpeg", 1, true, ""},
		{"image/png", 3, true, ""},
		{"image/jpeg", 0, true, "is empty or over 3 bytes"},
		{"image/jpeg", 4, true, "is empty or over 3 bytes"},
		{"image/gif", 1, true, "is not of an allowed type"},
		{"image/jpeg", 1, false, "did not pass the scanner"},
	} {
		require.Equal(t, tc.want, docs.Problem(tc.mediaType, tc.size, tc.clean))
	}
}

// Errors number the steps from one, as the log does.
func TestErrorsNumberSteps(t *testing.T) {
	_, err := plan.Plan{Name: "p", Steps: []plan.Step{plan.Captcha{}, nil}}.MarshalJSON()
	require.EqualError(t, err, "recovery: invalid plan: p: step 2, <nil>: not a step of this package")
	err = new(plan.Plan).UnmarshalJSON([]byte(`{"steps":[{"captcha":{}},{}]}`))
	require.EqualError(t, err, "recovery: invalid plan: step 2 is not an object with one key, the step's name")
	err = validate(plan.Plan{Name: "p", Limit: threeTries(), Outcome: plan.Unlocked, Steps: []plan.Step{aLink, plan.Captcha{}}})
	require.EqualError(t, err, "recovery: invalid plan: p: step 2, plan.Captcha: comes first")
}

func TestKeepsIsALevel(t *testing.T) {
	for l := civicpin.NoLevel; l <= civicpin.High; l++ {
		for _, p := range plans() {
			p.Keeps = l
			if l == civicpin.High && p.Name != "desk" {
				require.ErrorContains(t, validate(p), "only an operator can give")
				continue
			}
			if l == civicpin.Substantial && p.Name == "clave" {
				require.ErrorContains(t, validate(p), "no run shows two possessions of different kinds")
				continue
			}
			require.NoError(t, validate(p))
		}
	}
	require.Equal(t, civicpin.Low, plan.Plan{}.WithDefaults().Keeps)
	require.Equal(t, civicpin.Substantial, plan.Plan{Keeps: civicpin.Substantial}.WithDefaults().Keeps)
	p := plans()[0]
	p.Keeps = civicpin.High + 1
	require.ErrorIs(t, validate(p), plan.ErrInvalid)
	require.ErrorContains(t, validate(p), "Keeps is not a level")
	_, err := p.MarshalJSON()
	require.ErrorIs(t, err, plan.ErrInvalid)

	p = plans()[1]
	p.Certified, p.Exceptions = true, nil
	require.ErrorContains(t, validate(p), `Certified is true, which breaks "two kinds": set false`)
	p.Exceptions = []civicpin.Exception{{Clause: "two kinds", Reason: "the agency says so"}}
	require.NoError(t, validate(p))
}

// A plan says that it keeps level Substantial only if one of its runs could: by two possessions of different kinds.
func TestKeepsWhatARunCanShow(t *testing.T) {
	const email, pec, sms, own civicpin.Channel = civicpin.Email, civicpin.CertifiedEmail, civicpin.SMS, "own"
	link := func(or ...civicpin.Channel) plan.Step {
		return plan.Link{Channel: email, Or: or, Valid: time.Hour, Code: 8}
	}
	code := func(or ...civicpin.Channel) plan.Step {
		return plan.Code{Channel: sms, Or: or, Valid: 10 * time.Minute}
	}
	named := func(of ...civicpin.Channel) plan.Step { return plan.Contacts{AtLeast: 2, Of: of} }
	for name, tc := range map[string]struct {
		outcome   plan.Outcome
		certified bool
		steps     []plan.Step
		keeps     bool
	}{
		"a mailbox":                          {plan.ChooseSecret, false, []plan.Step{link()}, false},
		"a mailbox, twice":                   {plan.ChooseSecret, false, []plan.Step{link(), link()}, false},
		"one of two kinds":                   {plan.ChooseSecret, false, []plan.Step{code(email)}, false},
		"a telephone, by two channels":       {plan.ChooseSecret, false, []plan.Step{code(civicpin.Voice), code()}, false},
		"two kinds":                          {plan.ChooseSecret, false, []plan.Step{code(), link()}, true},
		"two kinds, if the visitor likes":    {plan.ChooseSecret, false, []plan.Step{link(), code(email)}, true},
		"a factor":                           {plan.ChooseSecret, false, []plan.Step{link(), plan.Factor("app")}, true},
		"two mailboxes":                      {plan.ChooseSecret, false, []plan.Step{link(), link(pec)}, false},
		"two mailboxes, by an exception":     {plan.ChooseSecret, true, []plan.Step{link(), link(pec)}, true},
		"a mailbox of the caller's own":      {plan.ChooseSecret, true, []plan.Step{link(), link(own)}, false},
		"an operator":                        {plan.ChooseSecret, false, []plan.Step{link(), plan.Approval{Role: "agency", Second: true}}, true},
		"parts to any contacts":              {plan.ReissueInParts, false, []plan.Step{link()}, true},
		"parts to two kinds":                 {plan.ReissueInParts, false, []plan.Step{named(email, sms), link()}, true},
		"parts to mailboxes":                 {plan.ReissueInParts, false, []plan.Step{named(email, pec), link()}, false},
		"an unlock, which leaves all levels": {plan.Unlocked, false, []plan.Step{link()}, true},
	} {
		p := plan.Plan{
			Name: "p", Limit: threeTries(), Outcome: tc.outcome, Keeps: civicpin.Substantial, Certified: tc.certified, Steps: tc.steps,
			OwnChannels: []civicpin.Channel{own},
		}
		around := plan.Facilities{Mail: []civicpin.Channel{own}, Factors: []string{"app"}, Roles: []string{"agency"}}
		if !slices.ContainsFunc(tc.steps, func(s plan.Step) bool {
			d, _ := plan.SentBy(s)
			return slices.Contains(d.Channels, own)
		}) {
			p.OwnChannels, around.Mail = nil, nil
		}
		p = p.WithDefaults()
		p.Exceptions = testkit.Except(p.Breaks(around))
		err := p.Validate(around)
		require.Equal(t, tc.keeps, err == nil, "%s: %v", name, err)
		if !tc.keeps {
			require.ErrorContains(t, err, "no run shows two possessions", name)
		}
	}
}
