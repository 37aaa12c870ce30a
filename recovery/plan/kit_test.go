package plan_test

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

// everything is what a configuration with all that plans could need offers.
func everything() plan.Facilities {
	return plan.Facilities{
		Register: true, Documents: true, Factors: []string{"app"}, Roles: []string{"agency", "video"}, Images: 9, Questions: 6,
	}
}

// validate validates a plan as package recovery does.
func validate(p plan.Plan) error { return p.WithDefaults().Validate(everything()) }

func threeTries() lockout.Policy { return lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked} }

// plans are valid plans of different sorts.
func plans() []plan.Plan {
	const email = civicpin.Email
	return []plan.Plan{
		{
			Name: "clave",
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Facts{"birth-day", "birth-month"},
				plan.Image{},
				plan.Questions{Ask: 1},
				plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 72 * time.Hour},
				plan.Link{Channel: email, Valid: 3 * time.Minute},
			},
			Limit: threeTries(), Outcome: plan.ChooseSecret,
			Exceptions: []civicpin.Exception{{
				Clause: "guess budget",
				Reason: "with a contact corrected it rests on what is known, and three days in which the old one can object",
			}},
		},
		{
			Name: "parts",
			Steps: []plan.Step{
				plan.Contacts{AtLeast: 2, Of: []civicpin.Channel{civicpin.SMS, email}},
				plan.Link{Channel: email, Or: []civicpin.Channel{civicpin.CertifiedEmail}, Valid: time.Hour, Code: 8},
			},
			Limit: threeTries(), Outcome: plan.ReissueInParts, Keeps: civicpin.Substantial,
		},
		{
			Name: "desk",
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Documents{Kinds: []string{"front"}, Types: []string{"image/jpeg"}, MaxBytes: 1 << 20},
				plan.Approval{Role: "agency", Questions: 4, Second: true},
				plan.Factor("app"),
				plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
				plan.Wait{For: 72 * time.Hour},
				plan.Enrol{Image: true, Questions: 4},
				plan.Terms{Version: "2026"},
			},
			Limit: threeTries(), Outcome: plan.ChooseSecret,
		},
	}
}
