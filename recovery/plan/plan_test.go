package plan_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery/plan"
)

func TestDefaults(t *testing.T) {
	p := plan.Plan{Name: "p"}.WithDefaults()
	require.Equal(t, time.Hour, p.Valid)
	require.Equal(t, 15*time.Minute, p.Grant)
	require.Equal(t, 7*24*time.Hour, p.Repudiate)
	require.Zero(t, p.Keeps)
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
	require.Equal(t, everyStep().Steps, ours.Steps)
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
		"Name":      func(p *plan.Plan) { p.Name = "q" },
		"Limit":     func(p *plan.Plan) { p.Limit = threeTries() },
		"Keeps":     func(p *plan.Plan) { p.Keeps = civicpin.High },
		"Valid":     func(p *plan.Plan) { p.Valid = time.Hour },
		"Grant":     func(p *plan.Plan) { p.Grant = time.Hour },
		"Repudiate": func(p *plan.Plan) { p.Repudiate = time.Hour },
		"Exception": func(p *plan.Plan) { p.Exception = "named" },
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
	rests := plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: day}
	for name, tc := range map[string]struct {
		steps []plan.Step
		hasty bool
	}{
		"an address that the visitor gives": {[]plan.Step{facts, corrects, link}, true},
		"with a day of rest":                {[]plan.Step{facts, rests, link}, false},
		"with a code to another channel":    {[]plan.Step{facts, corrects, link, sms}, false},
		"with an operator":                  {[]plan.Step{facts, corrects, link, plan.Approval{Role: "agency"}}, false},
		"with a factor before":              {[]plan.Step{plan.Factor("app"), corrects, link}, false},
		"an address on file":                {[]plan.Step{facts, plan.ConfirmContact{Channel: email}, link}, false},
	} {
		require.Equal(t, tc.hasty, plan.Plan{Creates: true, Steps: tc.steps}.Hasty(), name)
		require.False(t, plan.Plan{Steps: tc.steps}.Hasty(), "%s, of a plan that begins nothing", name)
	}
}

func TestRests(t *testing.T) {
	require.Zero(t, plans()[1].Rests())
	require.Equal(t, 25*time.Hour, everyStep().Rests(), "a wait, and a contact that may be corrected")
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
