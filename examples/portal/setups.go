package main

import (
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// unlockINPS is the portal's own addition: a PIN that strangers have locked is unlocked by a link in an e-mail.
const unlockINPS = "inps-unlock-link"

// inps is package agency's PIN. Its page remembers three devices of the citizen, which strangers cannot lock.
func inps() setup {
	policy := agency.INPS()
	policy.Lockout.Devices = 3
	unlock := plan.Plan{
		Name:    unlockINPS,
		Steps:   []plan.Step{plan.Captcha{}, plan.Link{Channel: civicpin.Email, Valid: time.Hour}},
		Limit:   lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute},
		Outcome: plan.Unlocked,
	}
	return setup{
		name: "inps", short: "INPS", long: "Istituto Nazionale della Previdenza Sociale", help: "803 164",
		zone: "Europe/Rome", lang: "it",
		parse: parseCF, id: mariaCF, policy: policy,
		recovery: recovery.Config{Plans: []plan.Plan{agency.INPSLost(), unlock}, Mail: ownMail},
		begin:    []string{agency.INPSLost().Name, unlockINPS},
	}
}

func iess() setup {
	return setup{
		name: "iess", short: "IESS", long: "Instituto Ecuatoriano de Seguridad Social", help: "140",
		zone: "America/Guayaquil", lang: "es",
		parse: parseCedula, id: luciaID, policy: agency.IESS(),
		contacts: contact.Policy{Decoys: []civicpin.Contact{{Channel: civicpin.Email, Address: "someone@example.ec"}}},
		recovery: recovery.Config{
			Plans: agency.IESSPlans(), Roles: agency.IESSRoles(), Images: agency.IESSImages,
			Questions: slices.Sorted(maps.Keys(agency.IESSQuestions)),
		},
		begin: []string{agency.IESSFirst, agency.IESSForgotten, agency.IESSByLink, agency.IESSByDesk},
	}
}

func claveSetup() setup {
	return setup{
		name: "clave", short: "Cl@ve", long: "Cl@ve PIN", help: "060", zone: "Europe/Madrid", lang: "es", parse: parseNIF, id: anaNIF,
		policy: agency.ClaveActivation(),
	}
}

func tuss() setup {
	return setup{
		name: "tuss", short: "TUSS", long: "Tu Seguridad Social", help: "901 16 65 65", zone: "Europe/Madrid", lang: "es",
		parse: parseNIF, id: nuriaNIF, policy: agency.TUSS(), contacts: agency.TUSSContacts(),
		recovery: recovery.Config{Plans: []plan.Plan{agency.TUSSForgotten, agency.TUSSCounter}, Roles: agency.TUSSRoles()},
		begin:    []string{agency.TUSSForgotten.Name},
	}
}
