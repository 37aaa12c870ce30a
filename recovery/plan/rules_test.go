package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery/plan"
)

func TestValidPlans(t *testing.T) {
	for _, p := range plans() {
		require.NoError(t, validate(p), p.Name)
	}
}

// Each step has a rule of its own, which says in its own words what is wrong.
func TestStepRules(t *testing.T) {
	const email, day = civicpin.Email, 24 * time.Hour
	phone := []civicpin.Channel{civicpin.SMS}
	link := plan.Link{Channel: email, Valid: time.Hour}
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
		{steps(link, plan.ConfirmContact{Channel: email, Wait: day}), nil, "Wait needs MayCorrect, and is 1 to 30 days"},
		{steps(link, plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 31 * day}), nil, "Wait needs MayCorrect, and is 1"},
		{steps(plan.Link{Channel: civicpin.Letter, Valid: time.Minute}), nil, "needs a channel that is not printed"},
		{steps(plan.Link{Channel: civicpin.SMS, Valid: time.Minute}), nil, "no message to a telephone has a link"},
		{steps(plan.Link{Channel: email, Valid: time.Minute, Code: 5}), nil, "the code is not of 6 to 12 characters"},
		{steps(plan.Link{Channel: civicpin.Push, Valid: time.Hour}), nil, "Valid is not 1 minute to 10 minutes"},
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
		{steps(plan.Captcha{}, plan.Wait{For: time.Hour}), nil, "comes after a guess or a proof"},
		{steps(link, plan.Wait{For: 31 * day}), nil, "For is not 1 hour to 30 days"},
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

func TestKeepsIsALevel(t *testing.T) {
	for l := civicpin.NoLevel; l <= civicpin.High; l++ {
		p := plans()[0]
		p.Keeps = l
		require.NoError(t, validate(p))
	}
	p := plans()[0]
	p.Keeps = civicpin.High + 1
	require.ErrorIs(t, validate(p), plan.ErrInvalid)
	require.ErrorContains(t, validate(p), "Keeps is not a level")
	_, err := p.MarshalJSON()
	require.ErrorIs(t, err, plan.ErrInvalid)
}
