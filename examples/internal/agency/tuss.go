package agency

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// BirthDate is the fact that the plan of the TUSS asks for, as 2006-01-02.
const BirthDate = "birth-date"

// TUSS is the policy of the passwords: an activation code of twelve characters, on a slip or by letter, that is exchanged for a
// password. An attacker who knows a DNI can lock its owner out with five wrong passwords, but not on a known device; a forgotten
// password is recovered in spite of that.
func TUSS() pin.Policy {
	p := pin.Default()
	p.Name = "tuss"
	p.Valid = map[civicpin.Channel]time.Duration{civicpin.HandedOver: 7 * day, civicpin.Letter: 21 * day}
	p.Chosen.Words = []string{"tuseguridadsocial", "seguridadsocial1", "contraseñasegura"}
	p.Lockout = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Devices: 3, ShowLeft: true}.WithRates()
	p.History = 1
	p.Requests.Renew = true // by letter to where the register says that the citizen lives
	return p
}

// The plans of the TUSS. A forgotten password takes two codes that come over two channels, or one channel and a clerk who has
// seen the person. The two codes are one method, the issued code, where NIST SP 800-63B-4 4.2.2.2 asks for two methods.
var (
	TUSSForgotten = plan.Plan{
		Name: "tuss-forgotten",
		Steps: []plan.Step{
			plan.Captcha{},
			plan.Facts{BirthDate},
			plan.Link{Channel: civicpin.Email, Valid: 30 * time.Minute},
			plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
		},
		Limit:   lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: day, Reserve: 10, ShowLeft: true}.WithRates(),
		Outcome: plan.ChooseSecret,
		Keeps:   civicpin.Substantial,
	}
	TUSSCounter = plan.Plan{
		Name: "tuss-counter",
		Steps: []plan.Step{
			plan.Approval{Role: "counter"},
			plan.Link{Channel: civicpin.Email, Valid: 30 * time.Minute},
		},
		Limit:   lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, ShowLeft: true}.WithRates(),
		Outcome: plan.ChooseSecret,
		Keeps:   civicpin.Substantial,
	}
)

// TUSSContacts has a change of contacts told to the old ones, who can undo it for seven days. For so long a new one proves
// nothing, and the level is basic.
func TUSSContacts() contact.Policy {
	return contact.Policy{
		LowerTo:       new(civicpin.Low),
		SuspendOnUndo: true,
		Decoys: []civicpin.Contact{
			{Channel: civicpin.Email, Address: "someone@example.es"}, {Channel: civicpin.SMS, Address: "+34600000000"},
		},
	}
}
