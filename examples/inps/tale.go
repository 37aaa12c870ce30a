package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// The operators, by the ids under which they are written into the log.
const (
	clerk      = civicpin.Actor("operator:clerk.roma.4") // the same as civicpin.Operator("clerk.roma.4")
	callCentre = civicpin.Actor("operator:callcentre.17")
	helpLine   = "803 164"
)

// A tale is one telling of the story.
type tale struct {
	*play.Page
	pins     *pin.Service
	contacts *contact.Service
	rec      *recovery.Service
	claims   store.Kind[[]claim]

	maria  citizen
	halves [2]string       // of Maria's issued PIN, as she read them
	pin    string          // what she chose, as she typed it
	chosen map[string]bool // all that she chose so far
}

// newTale makes the services: a policy, usually that of the INPS PIN, and the plan for lost ones, on the stage's vault and
// outbox. That is all the set-up there is.
func newTale(s *play.Stage, policy pin.Policy) (*tale, error) {
	pins, err := pin.New(s.Outbox, policy)
	if err != nil {
		return nil, err
	}
	contacts, err := contact.New(s.Outbox, contact.Policy{}, pins)
	if err != nil {
		return nil, err
	}
	rec, err := recovery.New(s.Outbox, recovery.Config{
		Pins: pins, Contacts: contacts, Plans: []plan.Plan{lostPIN}, Mail: []civicpin.Channel{post.CitizenCertifiedEmail},
	})
	if err != nil {
		return nil, err
	}
	claims, err := store.NewKind[[]claim](s.Vault, "inps.claims")
	if err != nil {
		return nil, err
	}
	page := &play.Page{
		Stage: s, Name: "INPS", Dates: "2 January 2006 at 15:04", Wrong: "Codice fiscale or PIN wrong.", Rules: rules, Own: ownError,
		Disabled: "Too many wrong PINs: this one is disabled. Come to an office with your identity card.",
	}
	t := &tale{Page: page, pins: pins, contacts: contacts, rec: rec, claims: claims, chosen: make(map[string]bool)}
	return t, nil
}

// Acts are the steps of the story in their order. Each goes on from where the one before it ended.
func (t *tale) Acts() []func(context.Context) error {
	return []func(context.Context) error{
		t.register, t.request, t.exchange, t.otherWays, t.file,
		t.NextDay("A stranger guesses", t.guesses), // what Maria mistyped the day before is forgiven
		t.upgrade, t.expiry, t.forgotten,
		t.NextDay("Somebody else reads her e-mail", t.notMe),
		t.doors,
		t.NextDay("A lost telephone, and the end of a PIN", t.lost),
	}
}

// ask shows a page with one field until use takes what was typed. An error that cannot be explained to a citizen ends it.
func (t *tale) ask(prompt string, suggestions []string, use func(typed string) error) error {
	return t.AskUntil(prompt, suggestions, use, t.Refused)
}

// signIn shows the login page until a right PIN is typed, and returns what was typed and what it is good for. The error is a
// *pin.ExpiredError if it was right but too old. Locks are waited out.
func (t *tale) signIn(ctx context.Context, c citizen, typed func() (string, error)) (string, pin.Verified, error) {
	for range play.Answers {
		text, err := typed()
		if err != nil {
			return "", pin.Verified{}, err
		}
		ok, err := t.pins.Verify(ctx, c.attempt(text))
		locked, isLocked := errors.AsType[*lockout.LockedError](err)
		switch {
		case isLocked && !locked.Until.IsZero():
			if err := t.Wait(locked); err != nil {
				return "", pin.Verified{}, err
			}
		case errors.Is(err, pin.ErrRefused), errors.Is(err, pin.ErrBusy):
			t.Refuses(err)
		default:
			return text, ok, err
		}
	}
	return "", pin.Verified{}, play.ErrAnswers
}

// login is signIn for Maria with the PIN of her own.
func (t *tale) login(ctx context.Context) (pin.Verified, error) {
	typed, ok, err := t.signIn(ctx, t.maria, func() (string, error) { return t.Ask("Maria's PIN", t.pin) })
	if err == nil {
		t.pin = typed
		t.maria.source.Shown = ok.Shown // which the session keeps, so that no stranger uses up what she may ask for
		t.Says("Welcome. Your PIN is %s.", levelName(ok.Level))
	}
	return ok, err
}
