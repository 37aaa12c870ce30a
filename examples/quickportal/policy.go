package main

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
)

// policy is the library's: an activation code, exchanged for a password. Here all codes are handed over, within a week.
func policy() pin.Policy {
	p := pin.Default()
	p.Valid = map[civicpin.Channel]time.Duration{civicpin.HandedOver: 7 * 24 * time.Hour}
	p.Lockout.Global = civicpin.Rate{} // it asks for a challenge, and this portal has none
	return p
}

// plans are the ways back: a link to a mailbox of the citizen's, and then a new password, or the end of a lock.
func plans() []plan.Plan {
	steps := []plan.Step{plan.Link{Channel: civicpin.Email, Valid: 30 * time.Minute}}
	limit := lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}
	return []plan.Plan{
		{Name: "password", Steps: steps, Limit: limit, Outcome: plan.ChooseSecret},
		{Name: "unlock", Steps: steps, Limit: limit, Outcome: plan.Unlocked},
	}
}
