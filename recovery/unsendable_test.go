package recovery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/texts"
)

// New refuses a plan whose messages its notifier would refuse over one of the plan's channels.
func TestNewAsksTheNotifier(t *testing.T) {
	words := func(page string) func(civicpin.Message) error {
		w, err := texts.New(texts.Service{Name: "IESS", Page: page})
		require.NoError(t, err)
		return w.Check
	}
	refusing := func(f func(civicpin.Message) bool) func(civicpin.Message) error {
		return func(m civicpin.Message) error {
			if f(m) {
				return fmt.Errorf("%w: no words", civicpin.ErrUndeliverable)
			}
			return nil
		}
	}
	without := func(kind civicpin.MessageKind) func(civicpin.Message) error {
		return refusing(func(m civicpin.Message) bool { return m.Kind == kind })
	}
	const email, sms = civicpin.Email, civicpin.SMS
	link := plan.Link{Channel: email, Valid: time.Hour}
	both := plan.Link{Channel: email, Or: []civicpin.Channel{civicpin.Push}, Valid: 10 * time.Minute, Code: 8}
	code := plan.Code{Channel: sms, Valid: 10 * time.Minute}
	for name, tc := range map[string]struct {
		refuse  func(civicpin.Message) error
		steps   []plan.Step
		outcome plan.Outcome
		begin   bool
		kind    civicpin.MessageKind // that is refused; empty if none is
		channel civicpin.Channel
	}{
		"links and codes":           {words("https://iess.example/r"), []plan.Step{link, code}, plan.Unlocked, false, "", ""},
		"a link without a page":     {words(""), []plan.Step{link}, plan.Unlocked, false, "recovery.unlock", email},
		"a code beside it is told":  {words(""), []plan.Step{both}, plan.Unlocked, false, "", ""},
		"no words for links":        {without("recovery.link"), []plan.Step{link, code}, plan.ChooseSecret, false, "recovery.link", email},
		"no words for another link": {without("recovery.unlock"), []plan.Step{link, code}, plan.ChooseSecret, false, "", ""},
		"no words for codes":        {without("recovery.code"), []plan.Step{link, code}, plan.ChooseSecret, false, "recovery.code", sms},
		"none are sent":             {without("recovery.code"), []plan.Step{link}, plan.Unlocked, false, "", ""},
		"no words for the end":      {without("recovery.done"), []plan.Step{link, code}, plan.ChooseSecret, false, "recovery.done", email},
		"nor over another channel":  {refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.done" && m.To.Channel == sms }), []plan.Step{link}, plan.ChooseSecret, false, "recovery.done", sms},
		"nor for that of an unlock": {without("recovery.unlocked"), []plan.Step{code}, plan.Unlocked, false, "recovery.unlocked", sms},
		"no notice with a link": {
			refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.done" && !m.Link.IsZero() }),
			[]plan.Step{link},
			plan.ChooseSecret, false, "recovery.done", email,
		},
		"no notice without a link": {
			refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.done" && m.Link.IsZero() }),
			[]plan.Step{link},
			plan.ChooseSecret, false, "recovery.done", email,
		},
		"a notice tells until when it waits": {
			refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.waiting" && m.Params["until"] == "" }),
			[]plan.Step{link, code, plan.Wait{For: time.Hour}},
			plan.ChooseSecret, false, "", "",
		},
		"no words for waiting": {
			without("recovery.waiting"),
			[]plan.Step{link, code, plan.Wait{For: time.Hour}},
			plan.ChooseSecret, false,
			"recovery.waiting", email,
		},
		"no words for waiting for a correction": {
			without("recovery.waiting"),
			[]plan.Step{
				plan.Facts{"birth-day"}, plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 24 * time.Hour}, link, code,
			},
			plan.ChooseSecret, false, "recovery.waiting", email,
		},
		"nothing is corrected": {
			without("recovery.waiting"),
			[]plan.Step{plan.Facts{"birth-day"}, plan.ConfirmContact{Channel: email}, link, code},
			plan.ChooseSecret, false, "", "",
		},
		"it does not wait": {without("recovery.waiting"), []plan.Step{link, code}, plan.ChooseSecret, false, "", ""},
		"no route": {
			func(m civicpin.Message) error {
				return civicpin.ByChannel{email: &testkit.Mailbox{}, sms: &testkit.Mailbox{}}.Check(m)
			},
			[]plan.Step{both},
			plan.Unlocked, false, "recovery.unlock", civicpin.Push,
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newBareKit(t)
			k.mail.Refuse = tc.refuse // after the services that were made
			c := k.config
			c.Plans = []plan.Plan{{
				Exception: "for this test",
				Name:      "worded", Steps: append([]plan.Step{plan.Captcha{}}, tc.steps...), Limit: threeTries(), Outcome: tc.outcome, Creates: tc.begin,
			}}
			_, err := recovery.New(k.out, c)
			if tc.kind == "" {
				require.NoError(t, err)
				return
			}
			var unsendable *outbox.UnsendableError
			require.ErrorAs(t, err, &unsendable)
			require.Equal(t, tc.kind, unsendable.Kind)
			require.Equal(t, tc.channel, unsendable.Channel)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			require.ErrorContains(t, err, "plan worded")
		})
	}
}
