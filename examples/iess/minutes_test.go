package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/strangers"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// portal is what the story's services are, on a scene of strangers, with Lucía enrolled.
type portal struct {
	*strangers.Scene
	pins  *pin.Service
	rec   *recovery.Service
	lucia *citizen
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{Scene: strangers.Open(t, time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC)), lucia: newLucia()}
	var err error
	p.pins, err = pin.New(p.Out, key())
	require.NoError(t, err)
	contacts, err := contact.New(p.Out, contact.Policy{Decoys: decoys("es")}, p.pins)
	require.NoError(t, err)
	p.rec, err = recovery.New(p.Out, recovery.Config{
		Pins: p.pins, Plans: plans(), Register: people(), Documents: new(uploads), Roles: roles(),
		Questions: slices.Sorted(maps.Keys(questions)), Images: images, Contacts: contacts,
	})
	require.NoError(t, err)
	mail := civicpin.Contact{Channel: civicpin.Email, Address: p.lucia.email}
	require.NoError(t, contacts.Adopt(t.Context(), p.lucia.subject, []civicpin.Contact{mail}, clerk.ID, civicpin.Source{}))
	typed := make(map[string]civicpin.Secret)
	for question, answer := range p.lucia.mind.questions {
		typed[question] = civicpin.NewSecret(answer)
	}
	require.NoError(t, p.rec.EnrolAnswers(t.Context(), p.lucia.subject, p.lucia.mind.image, typed, p.lucia.source))
	return p
}

var captcha = recovery.Answers{Captcha: true}

// finish reads the link that came, and uses it.
func (p *portal) finish(kind civicpin.MessageKind, source civicpin.Source) error {
	_, err := p.rec.Finish(p.T.Context(), p.Read(p.lucia.email, kind).Link, source)
	return err
}

// loggingIn is the page of the login.
func loggingIn(t *testing.T) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		p := newPortal(t)
		return p.Scene, p.LoginDoor("log in", p.pins, p.lucia.subject)
	}
}

// unlocking is the page that sends a link to unlock. Strangers have links sent, too.
func unlocking(t *testing.T) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		p := newPortal(t)
		p.Enrol(p.pins, p.lucia.subject)
		d := strangers.Door{Name: byLink, Owner: p.Owner(p.lucia.subject, func(source civicpin.Source) error {
			if _, err := p.Begin(p.rec, byLink, p.lucia.subject, source, captcha); err != nil {
				return err
			}
			return p.finish(recovery.UnlockMessage, source)
		})}
		d.Strangers = map[string]func(civicpin.Source) error{"begin": p.Attacker(p.rec, byLink, p.lucia.subject, captcha)}
		return p.Scene, d
	}
}

// forgetting is the page for a forgotten password. Strangers begin, too, and guess at the birthday and the answers.
func forgetting(t *testing.T) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		p := newPortal(t)
		p.Enrol(p.pins, p.lucia.subject)
		run, err := p.Begin(p.rec, forgotten, p.lucia.subject, p.lucia.source, captcha)
		require.NoError(t, err)
		right, wrong := given(t, run.Next, p.lucia.mind), given(t, run.Next, p.lucia.mind.wrong())
		d := strangers.Door{Name: forgotten, Owner: p.Owner(p.lucia.subject, func(source civicpin.Source) error {
			_, err := p.Begin(p.rec, forgotten, p.lucia.subject, source, captcha, right, recovery.Answers{Confirm: true})
			if err != nil {
				return err
			}
			return p.finish(recovery.LinkMessage, source)
		})}
		d.Strangers = map[string]func(civicpin.Source) error{
			"begin": p.Attacker(p.rec, forgotten, p.lucia.subject, captcha),
			"guess": p.Attacker(p.rec, forgotten, p.lucia.subject, captcha, wrong),
		}
		return p.Scene, d
	}
}

// What strangers cost Lucía stands in docs/threats.md, in minutes.
func TestMinutes(t *testing.T) {
	strangers.Table(t, "examples/iess", loggingIn(t), unlocking(t), forgetting(t))
}
