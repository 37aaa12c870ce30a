package holders_test

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

const (
	minute = time.Minute
	day    = 24 * time.Hour
	// cooling is how long a contact that was added to others proves nothing, and undoing how long a change can be undone.
	cooling, undoing = 7 * day, 7 * day
	// noticed is how long a provider has to take the first notice of a rest over.
	noticed = time.Hour
	// objection is for how long nothing of a subject's rests after an objection.
	objection = 7 * day
)

// A least set is what is needed at the least for a plan: one letter for each possession.
//
//	s, m, p  a telephone, a mailbox, a certified mailbox that is an established contact
//	k        the image and the answers
//	w        a rest of which a contact heard that could object, and did not
//	o        an operator's eye: staff have seen the person
type least string

// A system is the policy and the plans of one portal, and what its plans need: by hand, from what the plans say to people.
type system struct {
	policy   pin.Policy
	suspends bool // an undo suspends the credential
	plans    []plan.Plan
	needs    map[string][]least
}

// systems are the four of the examples, and plans that readers of the documentation write.
func systems() map[string]system {
	mail, cert, sms := civicpin.Email, civicpin.CertifiedEmail, civicpin.SMS
	strict := lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}
	mild := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * minute, Max: day}
	unlock := plan.Plan{
		Name: "unlock", Steps: []plan.Step{plan.Captcha{}, plan.Link{Channel: mail, Valid: 30 * minute}}, Limit: strict,
		Outcome: plan.Unlocked,
	}
	counter := plan.Plan{
		Name: "counter", Steps: []plan.Step{plan.Approval{Role: "counter"}, plan.Link{Channel: mail, Valid: 30 * minute}},
		Limit: mild, Outcome: plan.ChooseSecret,
	}
	return map[string]system{
		"inps": {
			policy: pin.INPS(),
			plans: []plan.Plan{{
				Name: "lost", Limit: mild, Outcome: plan.ReissueInParts,
				Steps: []plan.Step{
					plan.Contacts{AtLeast: 2, Of: []civicpin.Channel{sms, mail, cert}},
					plan.Link{Channel: mail, Or: []civicpin.Channel{cert}, Valid: time.Hour, Code: 8},
				},
			}, unlock},
			needs: map[string][]least{"lost": {"sm", "sp", "mp"}},
		},
		"iess": {
			policy: pin.Default(),
			plans: []plan.Plan{{
				Name: "clave", Limit: strict, Outcome: plan.ChooseSecret,
				Steps: []plan.Step{
					plan.Captcha{},
					plan.Facts{"birth-day"},
					plan.Image{},
					plan.Questions{Ask: 1},
					plan.ConfirmContact{Channel: mail, MayCorrect: true, Wait: 3 * day},
					plan.Link{Channel: mail, Valid: 3 * minute},
				},
				Exceptions: []civicpin.Exception{{
					Clause: "guess budget",
					Reason: "an address may be corrected by who knows the answers: the old one is told, and has three days to stop it",
				}},
			}, unlock, counter},
			needs: map[string][]least{"clave": {"km", "kw"}, "counter": {"om"}},
		},
		"tuss": {
			policy: pin.Default(), suspends: true,
			plans: []plan.Plan{{
				Name: "forgotten", Limit: mild, Outcome: plan.ChooseSecret,
				Steps: []plan.Step{
					plan.Captcha{},
					plan.Facts{"birth-day"},
					plan.Link{Channel: mail, Valid: 30 * minute},
					plan.Code{Channel: sms, Valid: 10 * minute},
				},
			}, counter, unlock},
			needs: map[string][]least{"forgotten": {"sm"}, "counter": {"om"}},
		},
		"other": {
			policy: pin.Default(),
			plans: []plan.Plan{
				{
					Name: "link", Limit: strict, Outcome: plan.ChooseSecret, Grant: day, Repudiate: 30 * day,
					Steps: []plan.Step{plan.Captcha{}, plan.Link{Channel: mail, Valid: time.Hour}},
				},
				{
					Name: "resting", Limit: strict, Outcome: plan.ChooseSecret, Grant: day,
					Steps: []plan.Step{plan.Captcha{}, plan.Link{Channel: mail, Valid: time.Hour}, plan.Wait{For: 3 * day}},
				},
				{
					Name: "two", Limit: mild, Outcome: plan.ChooseSecret,
					Steps: []plan.Step{
						plan.Captcha{},
						plan.Link{Channel: cert, Valid: time.Hour},
						plan.Code{Channel: sms, Valid: 10 * minute},
						plan.Wait{For: 3 * day},
					},
				},
			},
			needs: map[string][]least{"link": {"m"}, "resting": {"mw"}, "two": {"psw"}},
		},
	}
}
