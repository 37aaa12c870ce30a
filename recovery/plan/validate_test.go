package recovery_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

// construct makes a service of one plan with all that it could need around it.
func construct(t *testing.T, change func(*recovery.Config), p ...recovery.Plan) error {
	t.Helper()
	k := newKitOn(t, store.NewMemory(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	c := k.config
	if len(p) > 0 {
		c.Plans = p
	}
	if change != nil {
		change(&c)
	}
	_, err := recovery.New(k.vault, k.out, c)
	return err
}

func TestPlansThatConstruct(t *testing.T) {
	for _, p := range plans() {
		require.NoError(t, construct(t, nil, p), p.Name)
	}
}

// Knowing is not enough, whatever exception is named.
func TestKnowledgeAloneDoesNotConstruct(t *testing.T) {
	know := []recovery.Step{
		recovery.Captcha{},
		recovery.Facts{"birth-day"},
		recovery.Image{},
		recovery.Questions{Ask: 4},
		recovery.Contacts{AtLeast: 2},
	}
	more := []recovery.Step{
		recovery.ConfirmContact{Channel: civicpin.Email},
		recovery.Terms{Version: "1"},
		recovery.Wait{For: 24 * time.Hour},
		recovery.Documents{Kinds: []string{"a"}, Types: []string{"image/jpeg"}, MaxBytes: 1},
		recovery.Enrol{Image: true},
	}
	for n := 1; n <= len(know); n++ {
		for m := 0; m <= len(more); m++ {
			p := recovery.Plan{
				Name: "known", Steps: slices.Concat(know[:n], more[:m]), Limit: threeTries(), Outcome: recovery.Unlocked,
				Exception: "we trust everybody",
			}
			require.ErrorIs(t, construct(t, nil, p), recovery.ErrPlan, "%d %d", n, m)
		}
	}
}

func TestPlansThatDoNotConstruct(t *testing.T) {
	const email, sms = civicpin.Email, civicpin.SMS
	good := recovery.Plan{
		Name: "p", Limit: threeTries(), Outcome: recovery.ChooseSecret,
		Steps: []recovery.Step{recovery.Captcha{}, recovery.Link{Channel: email, Valid: time.Hour}},
	}
	require.NoError(t, construct(t, nil, good))
	link := recovery.Link{Channel: email, Valid: time.Hour}
	steps := func(s ...recovery.Step) func(*recovery.Plan) { return func(p *recovery.Plan) { p.Steps = s } }
	for name, change := range map[string]func(*recovery.Plan){
		"zero":                  func(p *recovery.Plan) { *p = recovery.Plan{} },
		"no name":               func(p *recovery.Plan) { p.Name = "" },
		"a bad name":            func(p *recovery.Plan) { p.Name = "a/b" },
		"no limit":              func(p *recovery.Plan) { p.Limit = lockout.Policy{} },
		"no outcome":            func(p *recovery.Plan) { p.Outcome = "" },
		"begin and reissue":     func(p *recovery.Plan) { p.Begin, p.Outcome = true, recovery.ReissueInParts },
		"too long":              func(p *recovery.Plan) { p.Valid = 8 * 24 * time.Hour },
		"a long grant":          func(p *recovery.Plan) { p.Grant = 25 * time.Hour },
		"no time to repudiate":  func(p *recovery.Plan) { p.Repudiate = time.Hour },
		"no steps":              steps(),
		"seventeen steps":       func(p *recovery.Plan) { p.Steps = slices.Repeat([]recovery.Step{link}, 17) },
		"a nil step":            steps(nil, link),
		"captcha later":         steps(link, recovery.Captcha{}),
		"no facts":              steps(recovery.Facts{}, link),
		"a fact without name":   steps(recovery.Facts{""}, link),
		"no questions":          steps(recovery.Questions{}, link),
		"five questions":        steps(recovery.Questions{Ask: 5}, link),
		"no contacts":           steps(recovery.Contacts{}, link),
		"an unknown factor":     steps(recovery.Factor("nothing"), link),
		"an unknown role":       steps(recovery.Operator{Role: "nobody"}, link),
		"a link to a telephone": steps(recovery.Link{Channel: sms, Valid: time.Minute}),
		"a link that could go to a telephone": steps(recovery.Link{
			Channel: email, Or: []civicpin.Channel{civicpin.Voice}, Valid: time.Minute,
		}),
		"a link by letter":         steps(recovery.Link{Channel: civicpin.Letter, Valid: time.Minute}),
		"a link for two days":      steps(recovery.Link{Channel: email, Valid: 48 * time.Hour}),
		"a link for no time":       steps(recovery.Link{Channel: email}),
		"a code for an hour":       steps(recovery.Code{Channel: sms, Valid: time.Hour}),
		"a code of five":           steps(recovery.Code{Channel: sms, Valid: time.Minute, Length: 5}),
		"a code of thirteen":       steps(recovery.Link{Channel: email, Valid: time.Minute, Code: 13}),
		"waiting before a proof":   steps(recovery.Captcha{}, recovery.Wait{For: time.Hour}, link),
		"terms before a proof":     steps(recovery.Terms{Version: "1"}, link),
		"enrolling before a proof": steps(recovery.Enrol{Image: true}, link),
		"enrolling after a guess":  steps(recovery.Facts{"birth-day"}, recovery.Enrol{Image: true}, link),
		"enrolling nothing":        steps(link, recovery.Enrol{}),
		"a short wait":             steps(link, recovery.Wait{For: time.Minute}),
		"a wait without end":       steps(link, recovery.Wait{For: 31 * 24 * time.Hour}),
		"no documents":             steps(recovery.Documents{}, link),
		"correcting before a proof": steps(
			recovery.ConfirmContact{Channel: email, MayCorrect: true, Wait: 24 * time.Hour}, link),
		"confirming twice": steps(
			recovery.ConfirmContact{Channel: email}, recovery.ConfirmContact{Channel: email}, link),
		"a wait without a correction": steps(recovery.ConfirmContact{Channel: email, Wait: 24 * time.Hour}, link),
	} {
		p := good
		change(&p)
		require.ErrorIs(t, construct(t, nil, p), recovery.ErrPlan, name)
	}
	require.ErrorIs(t, construct(t, nil, good, good), recovery.ErrPlan, "two of one name")
	for name, change := range map[string]func(*recovery.Config){
		"no pins":            func(c *recovery.Config) { c.Pins = nil },
		"no plans":           func(c *recovery.Config) { c.Plans = nil },
		"no register":        func(c *recovery.Config) { c.Register = nil },
		"no document store":  func(c *recovery.Config) { c.Documents = nil },
		"no images":          func(c *recovery.Config) { c.Images = nil },
		"no questions":       func(c *recovery.Config) { c.Questions = nil },
		"a question twice":   func(c *recovery.Config) { c.Questions = []string{"a", "b", "c", "d", "a"} },
		"no roles":           func(c *recovery.Config) { c.Roles = nil },
		"a place of no time": func(c *recovery.Config) { c.Roles = map[string]recovery.Role{"video": {Zone: "Nowhere"}} },
		"hours backwards":    func(c *recovery.Config) { c.Roles = map[string]recovery.Role{"video": {From: 2, To: 1}} },
		"negative limits":    func(c *recovery.Config) { c.Sends.Subject.Limit = -1 },
	} {
		require.ErrorIs(t, construct(t, change), recovery.ErrPlan, name)
	}
}

// An address that the visitor gives proves nothing about the subject: what it costs has to be said, and something else be there.
func TestCorrectedContacts(t *testing.T) {
	const email = civicpin.Email
	plan := func(exception string, s ...recovery.Step) recovery.Plan {
		return recovery.Plan{
			Name: "p", Limit: threeTries(), Outcome: recovery.ChooseSecret, Steps: s, Exception: exception,
		}
	}
	ask := recovery.Questions{Ask: 4}
	link := recovery.Link{Channel: email, Valid: time.Hour}
	rests := recovery.ConfirmContact{Channel: email, MayCorrect: true, Wait: 24 * time.Hour}
	hurries := recovery.ConfirmContact{Channel: email, MayCorrect: true}
	sms := recovery.Code{Channel: civicpin.SMS, Valid: time.Minute}
	office := recovery.Operator{Role: "agency", Second: true}

	require.ErrorIs(t, construct(t, nil, plan("named", ask, hurries, link)), recovery.ErrPlan, "the only proof, and at once")
	require.ErrorIs(t, construct(t, nil, plan("", ask, rests, link)), recovery.ErrPlan, "over the budget")
	require.NoError(t, construct(t, nil, plan("named", ask, rests, link)))
	require.NoError(t, construct(t, nil, plan("", ask, hurries, link, sms)), "a code to a contact that stays")
	require.NoError(t, construct(t, nil, plan("", ask, hurries, office, link)), "an operator")

	usual, corrected := plan("", ask, rests, link).GuessProbability(9)
	require.Zero(t, usual, "a link cannot be guessed")
	require.InDelta(t, 100*0.2*0.2*0.2*0.2, corrected, 1e-9)
	usual, _ = plan("", ask, sms).GuessProbability(9)
	require.Less(t, usual, pin.Budget)
	require.Positive(t, usual)
	_, corrected = plan("", recovery.Image{}, rests, link).GuessProbability(1000)
	require.InDelta(t, 0.1, corrected, 1e-9)
}

// A member of staff who begins a recovery as a stranger could approve their own.
func TestStaffAloneDoNotChoose(t *testing.T) {
	plan := func(outcome recovery.Outcome, exception string, s ...recovery.Step) recovery.Plan {
		return recovery.Plan{Name: "p", Limit: threeTries(), Outcome: outcome, Steps: s, Exception: exception}
	}
	alone, two := recovery.Operator{Role: "agency"}, recovery.Operator{Role: "agency", Second: true}
	link := recovery.Link{Channel: civicpin.Email, Valid: time.Hour}
	require.ErrorIs(t, construct(t, nil, plan(recovery.ChooseSecret, "", alone)), recovery.ErrPlan)
	require.NoError(t, construct(t, nil, plan(recovery.ChooseSecret, "named", alone)))
	require.NoError(t, construct(t, nil, plan(recovery.ChooseSecret, "", two)))
	require.NoError(t, construct(t, nil, plan(recovery.ChooseSecret, "", alone, link)))
	require.NoError(t, construct(t, nil, plan(recovery.Unlocked, "", alone)))
	require.NoError(t, construct(t, nil, plan(recovery.ReissueInParts, "", alone)), "the parts go to the subject's contacts")
	require.ErrorIs(t, construct(t, nil, plan(recovery.ChooseSecret, "",
		recovery.Questions{Ask: 1}, recovery.ConfirmContact{Channel: civicpin.Email, MayCorrect: true}, alone, link,
	)), recovery.ErrPlan, "a link to an address that they gave themselves")
}

// Configurations are copied: who changes theirs afterwards changes nothing.
func TestConfigIsCopied(t *testing.T) {
	k := newKitOn(t, store.NewMemory(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	before, err := k.Start(t.Context(), "clave", stranger, home)
	require.NoError(t, err)
	for i := range k.config.Plans {
		clear(k.config.Plans[i].Steps)
	}
	clear(k.config.Images)
	clear(k.config.Roles)
	after, err := k.Start(t.Context(), "clave", stranger, home)
	require.NoError(t, err)
	require.Equal(t, before.Next, after.Next)
}
