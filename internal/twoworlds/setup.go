package twoworlds

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store/outbox"
)

// A Setup is what both worlds have in common: policies and plans. Zero fields mean those of a small agency.
type Setup struct {
	Pin       pin.Policy // required
	Codes     otp.CodePolicy
	Contacts  contact.Policy
	Plans     []plan.Plan
	Images    []string
	Questions []string
	Roles     map[string]recovery.Role
	Mail      []civicpin.Channel // the mailboxes of the caller's own kind
	Limits    outbox.Limits
}

// withDefaults fills in what is not given. The hashes cost next to nothing.
func (s Setup) withDefaults() Setup {
	s.Pin.Hashing = pin.Hashing{Memory: 8, Time: 1, Threads: 1, Permits: 64, Wait: time.Minute}
	if s.Codes.Name == "" {
		s.Codes = otp.SMS()
	}
	if s.Codes.Decoys == nil {
		for _, c := range s.Codes.Channels {
			if c == civicpin.SMS {
				s.Codes.Decoys = []civicpin.Contact{{Channel: civicpin.SMS, Address: "+593990000000"}}
			}
		}
	}
	if s.Contacts.Decoys == nil {
		s.Contacts.Decoys = []civicpin.Contact{
			{Channel: civicpin.Email, Address: "x@correo.example"}, {Channel: civicpin.SMS, Address: "+593990000000"},
		}
	}
	if s.Images == nil {
		s.Images = []string{"barco", "gato", "casa", "rosa", "tren", "luna", "pera", "vela", "oso"}
	}
	if s.Questions == nil {
		s.Questions = []string{"mascota", "escuela", "ciudad", "madrina", "plato", "calle"}
	}
	if s.Plans == nil {
		s.Plans = Plans()
	}
	return s
}

// length is how long typed codes of plans are.
const length = 8

// Plans returns plans like those of the examples.
func Plans() []plan.Plan {
	const day = 24 * time.Hour
	return []plan.Plan{
		{
			Name: "clave", Limit: lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, Outcome: plan.ChooseSecret,
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Facts{"birth-day", "birth-month"},
				plan.Image{},
				plan.Questions{Ask: 1},
				plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true, Wait: 3 * day},
				plan.Link{Channel: civicpin.Email, Valid: 3 * time.Minute},
			},
			Exceptions: []civicpin.Exception{{
				Clause: "guess budget",
				Reason: "with a contact corrected it rests on what is known, and a day in which the old one can object",
			}},
		},
		{
			Name: "unlock", Limit: lockout.Policy{Limit: 3, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.Unlocked,
			Steps: []plan.Step{plan.Captcha{}, plan.Link{Channel: civicpin.Email, Valid: 3 * time.Minute}},
		},
		{
			Name: "code", Limit: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.ChooseSecret,
			Steps: []plan.Step{
				plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}, plan.Link{Channel: civicpin.Email, Valid: time.Hour},
			},
		},
		{
			Name: "confirm", Limit: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.ChooseSecret,
			Steps: []plan.Step{
				plan.Captcha{},
				plan.ConfirmContact{Channel: civicpin.SMS},
				plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
				plan.Link{Channel: civicpin.Email, Valid: time.Hour},
			},
		},
		{
			Name: "parts", Limit: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.ReissueInParts,
			Steps: []plan.Step{
				plan.Contacts{AtLeast: 2, Of: []civicpin.Channel{civicpin.SMS, civicpin.Email}},
				plan.Link{Channel: civicpin.Email, Valid: time.Hour, Code: length},
			},
		},
		{
			Name: "factor", Limit: lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Hour}, Outcome: plan.ChooseSecret,
			Steps: []plan.Step{plan.Factor("app"), plan.Link{Channel: civicpin.Email, Valid: time.Hour}},
		},
	}
}

// config is what the recoveries of a setup rest on, without the services.
func (s *Setup) config() recovery.Config {
	c := recovery.Config{
		Plans: s.Plans, Register: register{}, Images: s.Images, Questions: s.Questions, Hashing: s.Pin.Hashing, Documents: uploads{},
		Mail: s.Mail, Roles: map[string]recovery.Role{}, Factors: map[string]factor{},
	}
	for _, p := range s.Plans {
		for _, step := range p.Steps {
			switch step := step.(type) {
			case plan.Factor:
				c.Factors[string(step)] = nil
			case plan.Approval:
				c.Roles[step.Role] = recovery.Role{}
			}
		}
	}
	maps.Copy(c.Roles, s.Roles)
	return c
}

// factor checks a second factor of a plan.
type factor = func(context.Context, civicpin.Subject, civicpin.Secret, civicpin.Source) error

// register is the agency's file of people, in which the subject is in both worlds: it is older than the portal.
type register struct{}

// fact is what the register knows of the subject under a name.
func fact(name string) string { return "fact of " + name }

// Check implements [recovery.Register].
func (r register) Check(_ context.Context, s civicpin.Subject, facts map[string]string) (bool, error) {
	right := s == subject
	for name, value := range facts {
		right = fact(name) == value && right
	}
	return right, nil
}

// uploads are the documents that a visitor uploads, all of them fit.
type uploads struct{}

// Describe implements [recovery.DocumentStore].
func (uploads) Describe(_ context.Context, _ civicpin.Subject, _ string) (recovery.Document, error) {
	return recovery.Document{Type: "image/jpeg", Size: 1 << 10, Clean: true}, nil
}

// parts returns the contacts for the parts of an issue, of the first channels that the policy lists. The last ones are printed.
func (s *Setup) parts(from []civicpin.Contact) []civicpin.Contact {
	from = append(slices.Clone(from), civicpin.Contact{Channel: civicpin.Letter, Address: "Ana Andrade\nCalle Larga 1"},
		civicpin.Contact{Channel: civicpin.HandedOver})
	from = slices.DeleteFunc(from, func(c civicpin.Contact) bool { return s.Pin.Valid[c.Channel] == 0 })
	return from[:min(len(from), s.Pin.Parts)]
}
