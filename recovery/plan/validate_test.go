package plan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

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
				Exception: "we trust everybody",
			}
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
	link := plan.Link{Channel: email, Valid: time.Hour}
	steps := func(s ...plan.Step) func(*plan.Plan) { return func(p *plan.Plan) { p.Steps = s } }
	for name, change := range map[string]func(*plan.Plan){
		"zero":                  func(p *plan.Plan) { *p = plan.Plan{} },
		"no name":               func(p *plan.Plan) { p.Name = "" },
		"a bad name":            func(p *plan.Plan) { p.Name = "a/b" },
		"no limit":              func(p *plan.Plan) { p.Limit = lockout.Policy{} },
		"no outcome":            func(p *plan.Plan) { p.Outcome = "" },
		"begin and reissue":     func(p *plan.Plan) { p.Creates, p.Outcome = true, plan.ReissueInParts },
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
		"waiting before a proof":   steps(plan.Captcha{}, plan.Wait{For: time.Hour}, link),
		"terms before a proof":     steps(plan.Terms{Version: "1"}, link),
		"enrolling before a proof": steps(plan.Enrol{Image: true}, link),
		"enrolling after a guess":  steps(plan.Facts{"birth-day"}, plan.Enrol{Image: true}, link),
		"enrolling nothing":        steps(link, plan.Enrol{}),
		"a short wait":             steps(link, plan.Wait{For: time.Minute}),
		"a wait without end":       steps(link, plan.Wait{For: 31 * 24 * time.Hour}),
		"no documents":             steps(plan.Documents{}, link),
		"correcting before a proof": steps(
			plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 24 * time.Hour}, link),
		"confirming twice": steps(
			plan.ConfirmContact{Channel: email}, plan.ConfirmContact{Channel: email}, link),
		"a wait without a correction": steps(plan.ConfirmContact{Channel: email, Wait: 24 * time.Hour}, link),
	} {
		p := good
		change(&p)
		require.ErrorIs(t, validate(p), plan.ErrInvalid, name)
	}
}

// An address that the visitor gives proves nothing about the subject: the plan has to name what it costs, and ask for another
// proof.
func TestCorrectedContacts(t *testing.T) {
	const email = civicpin.Email
	made := func(exception string, s ...plan.Step) plan.Plan {
		return plan.Plan{
			Name: "p", Limit: threeTries(), Outcome: plan.ChooseSecret, Steps: s, Exception: exception,
		}
	}
	ask := plan.Questions{Ask: 4}
	link := plan.Link{Channel: email, Valid: time.Hour}
	rests := plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 24 * time.Hour}
	hurries := plan.ConfirmContact{Channel: email, MayCorrect: true}
	sms := plan.Code{Channel: civicpin.SMS, Valid: time.Minute}
	office := plan.Approval{Role: "agency", Second: true}

	require.ErrorIs(t, validate(made("named", ask, hurries, link)), plan.ErrInvalid, "the only proof, and at once")
	require.ErrorIs(t, validate(made("", ask, rests, link)), plan.ErrInvalid, "over the budget")
	require.NoError(t, validate(made("named", ask, rests, link)))
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
	made := func(outcome plan.Outcome, exception string, s ...plan.Step) plan.Plan {
		return plan.Plan{Name: "p", Limit: threeTries(), Outcome: outcome, Steps: s, Exception: exception}
	}
	alone, two := plan.Approval{Role: "agency"}, plan.Approval{Role: "agency", Second: true}
	link := plan.Link{Channel: civicpin.Email, Valid: time.Hour}
	require.ErrorIs(t, validate(made(plan.ChooseSecret, "", alone)), plan.ErrInvalid)
	require.NoError(t, validate(made(plan.ChooseSecret, "named", alone)))
	require.NoError(t, validate(made(plan.ChooseSecret, "", two)))
	require.NoError(t, validate(made(plan.ChooseSecret, "", two, alone)), "the second stays asked for")
	require.NoError(t, validate(made(plan.ChooseSecret, "", alone, link)))
	require.NoError(t, validate(made(plan.Unlocked, "", alone)))
	require.NoError(t, validate(made(plan.ReissueInParts, "", alone)), "the parts go to the subject's contacts")
	require.ErrorIs(t, validate(made(plan.ChooseSecret, "",
		plan.Questions{Ask: 1}, plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true}, alone, link,
	)), plan.ErrInvalid, "a link to an address that they gave themselves")
}
