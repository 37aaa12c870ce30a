package agency

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// INPS is the policy of the INPS PIN, on whose pages a visitor reads how many tries are left.
func INPS() pin.Policy {
	p := pin.INPS()
	p.Lockout.ShowLeft = true
	return p
}

// INPSLost is the way to a new PIN on line: two contacts are named, a link and a code come by e-mail, of which either will do,
// and a new PIN comes in two halves, at the level of the lost one: the exchange shows two possessions. Who has but one contact
// goes to an office.
func INPSLost() plan.Plan {
	return plan.Plan{
		Name: "inps-lost-pin",
		Steps: []plan.Step{
			plan.Contacts{AtLeast: 2, Of: []civicpin.Channel{
				civicpin.SMS, civicpin.Email, civicpin.CertifiedEmail, post.CitizenCertifiedEmail,
			}},
			plan.Link{
				Channel: civicpin.Email, Or: []civicpin.Channel{civicpin.CertifiedEmail, post.CitizenCertifiedEmail},
				Valid: time.Hour, Code: 8,
			},
		},
		Limit:       lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: day, ShowLeft: true}.WithRates(),
		Outcome:     plan.ReissueInParts,
		Keeps:       civicpin.Substantial,
		OwnChannels: []civicpin.Channel{post.CitizenCertifiedEmail},
		// An e-mail and a certified e-mail are two contacts for the INPS, and any two keep the level.
		Certified: true,
		Exceptions: []civicpin.Exception{{
			Clause: "two kinds",
			Reason: "El PIN restaurado conserva las características del perdido, conservando cualquier valor de PIN de \"dispositivo\".",
		}},
	}
}
