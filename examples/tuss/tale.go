package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// The operators, by the ids under which they are written into the log, and in their roles.
var (
	clerk    = recovery.Operator{ID: "operator:counter.madrid.4", Role: "counter"} // the same as civicpin.Operator("counter.madrid.4")
	operator = recovery.Operator{ID: "operator:telephone.17", Role: "telephone"}
)

type refusal = play.Refusal

// A tale is one telling of the story.
type tale struct {
	*play.Page
	people register

	pins     *pin.Service // activation codes, and the passwords that they are exchanged for
	contacts *contact.Service
	rec      *recovery.Service // the ways to a new password
	records  store.Kind[record]

	nuria, omar, julia, tomas *citizen
}

// newTale makes the services on the stage's vault and outbox: the values of policy.go, and nothing more.
func newTale(s *play.Stage) (*tale, error) {
	t := &tale{people: people()}
	t.Page = &play.Page{ // a visitor may be told of a lock: unknown numbers lock alike
		Stage: s, Name: "TUSS", Dates: "Monday, 2 January 2006, 15:04",
		Wrong: "Something of this is wrong.", Rules: rules, Own: t.ownError,
		Disabled: "Too many wrong tries: this is locked. \"I forgot my password\" still works, and so does an office.",
	}
	var err error
	if t.pins, err = pin.New(s.Outbox, agency.TUSS()); err != nil {
		return nil, err
	}
	if t.contacts, err = contact.New(s.Outbox, agency.TUSSContacts(), t.pins); err != nil {
		return nil, err
	}
	t.rec, err = recovery.New(s.Outbox, recovery.Config{
		Pins: t.pins, Register: t.people, Roles: agency.TUSSRoles(), Plans: []plan.Plan{planForgotten, planCounter},
		Contacts: t.contacts,
	})
	if err != nil {
		return nil, err
	}
	if t.records, err = store.NewKind[record](s.Vault, "tuss.record"); err != nil {
		return nil, err
	}
	t.nuria, t.omar = t.people["12345678Z"], t.people["Y1234567X"]
	t.julia, t.tomas = t.people["23456789D"], t.people["34567890V"]
	return t, nil
}

// Acts are the steps of the story in their order. Each goes on from where the one before it ended.
func (t *tale) Acts() []func(context.Context) error {
	return []func(context.Context) error{
		t.counter, t.activate, t.letter, t.portals, t.change, t.forgotten, t.strangers,
		t.NextDay("Nuria changes her e-mail address", t.newContact),
		t.undo, t.office, t.codes,
	}
}

// ask shows a page with one field until use takes what was typed. Locks that end are waited out. An error that cannot be
// explained to a citizen ends it.
func (t *tale) ask(prompt string, suggestions []string, use func(typed string) error) error {
	return t.AskUntil(prompt, suggestions, use, func(err error) error {
		if errors.Is(err, recovery.ErrGone) || errors.Is(err, recovery.ErrExpired) || errors.Is(err, pin.ErrNoGrant) {
			return err // no other answer would do
		}
		return t.WaitOut(err)
	})
}

// status is a citizen's credential as staff see it, whether or not there is one.
func (t *tale) status(ctx context.Context, c *citizen) (pin.Status, error) {
	st, err := t.pins.Status(ctx, c.subject())
	if errors.Is(err, pin.ErrNoCredential) {
		return pin.Status{}, nil
	}
	return st, err
}

// seen is what a clerk writes down after they have seen a citizen and an identity card.
func seen(c *citizen) civicpin.Evidence {
	return civicpin.Evidence{Method: civicpin.InPerson, Document: string(c.nif.Kind()) + " " + string(c.nif), By: clerk.ID}
}
