package main

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A setup is what makes a system: values of package agency, and little more.
type setup struct {
	name, short, long, help, zone, lang string
	parse                               func(typed string) (civicpin.Subject, error)
	id                                  string // an example of an identifier
	region, mobile                      string // of telephone numbers, and an example of one
	pages                               []string
	policy                              pin.Policy
	book                                contact.Policy
	recovery                            recovery.Config
	begin                               []string // the plans that a visitor may begin, for the page that offers them
}

// parser makes an identifier's parser one of subjects. What is wrong with it is said beside the field.
func parser[T ~string](parse func(string) (T, error)) func(string) (civicpin.Subject, error) {
	return func(typed string) (civicpin.Subject, error) {
		id, err := parse(typed)
		if err != nil {
			return "", refusal{"id", "id.wrong"}
		}
		return civicpin.Subject(id), nil
	}
}

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
	mail := []civicpin.Channel{post.CitizenCertifiedEmail} // which the library does not name
	return setup{
		name: "inps", short: "INPS", long: "Istituto Nazionale della Previdenza Sociale", help: "803 164",
		zone: "Europe/Rome", lang: "it", region: "IT", mobile: "333 123 4567",
		parse: parser(ident.ParseCodiceFiscale), id: mariaCF, policy: policy,
		recovery: recovery.Config{Plans: []plan.Plan{agency.INPSLost(), unlock}, Mail: mail},
		begin:    []string{agency.INPSLost().Name, unlockINPS},
		pages:    []string{"request", "first", "login", "start"},
	}
}

func iess() setup {
	return setup{
		name: "iess", short: "IESS", long: "Instituto Ecuatoriano de Seguridad Social", help: "140",
		zone: "America/Guayaquil", lang: "es", region: "EC",
		parse: parser(ident.ParseCedula), id: luciaID, policy: agency.IESS(),
		book: contact.Policy{Decoys: []civicpin.Contact{{Channel: civicpin.Email, Address: "someone@example.ec"}}},
		recovery: recovery.Config{
			Plans: agency.IESSPlans(), Roles: agency.IESSRoles(), Images: agency.IESSImages,
			Questions: sortedKeys(agency.IESSQuestions),
		},
		begin: []string{agency.IESSFirst, agency.IESSForgotten, agency.IESSByLink, agency.IESSByDesk},
		pages: []string{"login", "start"},
	}
}

func clavePIN() setup {
	return setup{
		name: "clave", short: "Cl@ve", long: "Cl@ve PIN", help: "060",
		zone: "Europe/Madrid", lang: "es", region: "ES", mobile: "612 345 678",
		parse: parser(ident.ParseNIF), id: anaNIF, policy: agency.ClaveActivation(),
		pages: []string{"certificate", "letter", "activate", "ask", "code", "app"},
	}
}

func tuss() setup {
	return setup{
		name: "tuss", short: "TUSS", long: "Tu Seguridad Social", help: "901 16 65 65",
		zone: "Europe/Madrid", lang: "es", region: "ES",
		parse: parser(ident.ParseNIF), id: nuriaNIF, policy: agency.TUSS(), book: agency.TUSSContacts(),
		recovery: recovery.Config{Plans: []plan.Plan{agency.TUSSForgotten, agency.TUSSCounter}, Roles: agency.TUSSRoles()},
		begin:    []string{agency.TUSSForgotten.Name},
		pages:    []string{"first", "login", "start"},
	}
}
