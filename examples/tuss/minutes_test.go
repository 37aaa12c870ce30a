package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/strangers"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

const nuriasMobile, nuriasMail = "+34612345678", "nuria@example.es"

// doors are the login and the page for a forgotten password, which strangers begin, too, with a wrong birth date or the right
// one.
func doors(t *testing.T, forgets bool) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		s := strangers.Open(t, time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC))
		pins, err := pin.New(s.Out, passwords())
		require.NoError(t, err)
		const nuria = civicpin.Subject("12345678Z")
		if !forgets {
			return s, s.LoginDoor("log in", pins, nuria)
		}
		s.Enrol(pins, nuria)
		contacts, err := contact.New(s.Out, contactPolicy(), pins)
		require.NoError(t, err)
		rec, err := recovery.New(s.Out, recovery.Config{
			Pins: pins, Register: people(), Roles: roles(), Plans: []plan.Plan{planForgotten, planCounter}, Contacts: contacts,
		})
		require.NoError(t, err)
		require.NoError(t, contacts.Adopt(t.Context(), nuria, []civicpin.Contact{
			{Channel: civicpin.SMS, Address: nuriasMobile}, {Channel: civicpin.Email, Address: nuriasMail},
		}, clerk.ID, civicpin.Source{}))

		name, captcha := planForgotten.Name, recovery.Answers{Captcha: true}
		born := func(date string) recovery.Answers { return recovery.Answers{Facts: map[string]string{birthDate: date}} }
		d := strangers.Door{Name: name, Owner: s.Owner(nuria, func(source civicpin.Source) error {
			if _, err := s.Begin(rec, name, nuria, source, captcha, born("1979-05-23")); err != nil {
				return err
			}
			run, err := rec.Redeem(t.Context(), s.Read(nuriasMail, recovery.LinkMessage).Link, source)
			if err != nil {
				return err
			}
			_, err = rec.Answer(t.Context(), run.Ticket, recovery.Answers{Code: s.Read(nuriasMobile, recovery.CodeMessage).Secret, Source: source})
			if err != nil {
				return err
			}
			_, err = rec.Finish(t.Context(), run.Ticket, source)
			return err
		})}
		delete(d.Owner, strangers.Device) // the policy has none
		d.Strangers = map[string]func(civicpin.Source) error{
			"begin": s.Attacker(rec, name, nuria, captcha),
			"guess": s.Attacker(rec, name, nuria, captcha, born("1980-01-01")),
			"know":  s.Attacker(rec, name, nuria, captcha, born("1979-05-23")),
		}
		return s, d
	}
}

// What strangers cost Nuria stands in docs/threats.md, in minutes.
func TestMinutes(t *testing.T) {
	strangers.Table(t, "examples/tuss", doors(t, false), doors(t, true))
}
