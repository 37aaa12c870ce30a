package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// The operators, as the agency's own sign-in names them to the library: an id and a role.
var (
	clerk     = recovery.Operator{ID: civicpin.Operator("agency.quito.5"), Role: "agency"}
	operator  = recovery.Operator{ID: civicpin.Operator("video.3"), Role: "video"}
	checker   = recovery.Operator{ID: civicpin.Operator("desk.11"), Role: "desk"}
	colleague = recovery.Operator{ID: civicpin.Operator("desk.14"), Role: "desk"}
)

const helpLine = "140"

type refusal = play.Refusal

// A tale is one telling of the story.
type tale struct {
	*play.Page
	people civilRegister
	files  *agency.Uploads

	pins     *pin.Service
	contacts *contact.Service
	rec      *recovery.Service

	lucia, diego, camila *citizen
}

// newTale makes the two services on the stage's vault and outbox. What they do is said in plans.go.
func newTale(s *play.Stage) (*tale, error) {
	t := &tale{
		people: people(), files: new(agency.Uploads), lucia: newLucia(), diego: newDiego(), camila: newCamila(),
	}
	t.Page = &play.Page{
		Stage: s, Name: "IESS", Dates: "Monday, 2 January 2006, at 15:04",
		Wrong:    "Something of this is wrong.",
		Disabled: "Too many wrong tries: only a new key helps. Come to an agency with your cédula.",
		Locked:   "Locked, until it is unlocked.",
		Rules:    rules, Own: t.ownError,
		Ending: "There the story ends. With -db, the next run begins at an agency, which puts it right.",
	}
	var err error
	if t.pins, err = pin.New(s.Outbox, agency.IESS()); err != nil {
		return nil, err
	}
	if t.contacts, err = contact.New(s.Outbox, contact.Policy{Decoys: decoys(t.Lang)}, t.pins); err != nil {
		return nil, err
	}
	t.rec, err = recovery.New(s.Outbox, recovery.Config{
		Pins:      t.pins,
		Plans:     agency.IESSPlans(),
		Register:  t.people,
		Documents: t.files,
		Roles:     agency.IESSRoles(),
		Questions: slices.Sorted(maps.Keys(questions)),
		Images:    images,
		Contacts:  t.contacts,
	})

	return t, err
}

// Acts are the steps of the story in their order. Each goes on from where the one before it ended.
func (t *tale) Acts() []func(context.Context) error {
	return []func(context.Context) error{
		t.first, t.locked, t.device, t.forgotten,
		t.NextDay("Three misses, and an agency", t.blocked),
		t.NextDay("Somebody knows her answers, and gives another address", t.thief),
		t.moved, t.video, t.counter, t.desk, t.strangers,
	}
}

// ask shows a page with one field until use takes what was typed. An error that cannot be explained to a citizen ends it.
func (t *tale) ask(prompt string, suggestions []string, use func(typed string) error) error {
	return t.AskUntil(prompt, suggestions, use, func(err error) error {
		if _, locked := errors.AsType[*lockout.LockedError](err); locked {
			return err
		}
		return t.Refused(err)
	})
}

// until lets time pass until it is that hour in Ecuador.
func (t *tale) until(hour int) error {
	next := t.Next(hour)
	t.Say("… %s …", next.Format("Monday, 15:04"))
	return t.Clock.Skip(next.Sub(t.Clock.Now()))
}
