package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// A citizen is a person in the story: what the register knows of them, and what they hold in their hands.
type citizen struct {
	person
	source civicpin.Source
	number string // of the telephone
	app    string // names the app on it to the sender of pushes
	key    string // the app's own, which never leaves it but to prove that it is this app
}

func (t *tale) citizen(nif ident.NIF, host int) *citizen {
	return &citizen{person: t.people[nif], source: civicpin.Source{Address: fmt.Sprintf("192.0.2.%d", 10+host)}}
}

// attempt is what a citizen types or an app shows to the service of activation codes.
func (c *citizen) attempt(secret string) pin.Attempt {
	return pin.Attempt{Subject: c.subject(), Secret: civicpin.NewSecret(secret), Source: c.source}
}

func (t *tale) sms(number string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.SMS, Address: number, Locale: t.Lang}
}

// A record is what Cl@ve keeps of a registered citizen. The level and the evidence for it are with the credential, in
// package pin.
type record struct {
	Phone string `json:"phone"` // in E.164 form
	App   string `json:"app"`
}

// contacts are the ways to a citizen, nil if they are not registered.
func (t *tale) contacts(ctx context.Context, subject civicpin.Subject) ([]civicpin.Contact, error) {
	e, err := t.records.Get(ctx, store.Key{Subject: subject})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	push := civicpin.Contact{Channel: civicpin.Push, Address: e.Value.App, Locale: t.Lang}
	return []civicpin.Contact{push, t.sms(e.Value.Phone)}, nil
}

// An owner is whose a telephone is. There is one record for each telephone, by its number.
type owner struct {
	Subject civicpin.Subject `json:"subject"`
}

const (
	noMobile = refusal("A text message does not reach a fixed line. Your mobile, please.")
	taken    = refusal("This telephone is registered for somebody else, and one telephone is for one person.")
	scripted = refusal("This is the telephone of somebody who comes later in this story. Another one, please.")
)

// numbers are those with which the story itself goes on.
var numbers = map[string]ident.NIF{
	"+351912345678": "X1234567L", "+34622333444": "23456789D", "+34633444555": "34567890V", "+34644555666": "45678901G",
}

// claim makes a telephone a citizen's, unless it is another one's: one telephone for one person, so that none but its owner
// gets their PIN (Resolution of 14 December 2015, BOE-A-2015-14215, annex I 1.6). Two who claim one number at the same
// moment write to one record, and one of them is refused.
func (t *tale) claim(ctx context.Context, subject civicpin.Subject, number string) error {
	_, err := t.phones.Update(ctx, store.Key{ID: number}, func(e *store.Entry[owner]) error {
		switch {
		case !e.Found():
			e.Value.Subject = subject
			return nil
		case e.Value.Subject == subject:
			return store.ErrSkip
		}
		return taken
	})
	return err
}

// release lets a telephone go that was a citizen's.
func (t *tale) release(ctx context.Context, subject civicpin.Subject, number string) error {
	_, err := t.phones.Update(ctx, store.Key{ID: number}, func(e *store.Entry[owner]) error {
		if !e.Found() || e.Value.Subject != subject {
			return store.ErrSkip
		}
		e.Drop = true
		return nil
	})
	return err
}

// readMobile reads a number. Foreign ones are welcome.
func readMobile(typed string) (string, error) {
	n, err := phone.Parse(typed, "ES")
	if err == nil && !n.Mobile {
		err = noMobile
	}
	return n.E164, err
}

// typePhone is the field for the telephone, which the citizen or an operator fills in.
func (t *tale) typePhone(ctx context.Context, c *citizen, suggestions []string) error {
	return t.ask(c.first()+"'s telephone", suggestions, func(typed string) error {
		number, err := readMobile(typed)
		if whose, ok := numbers[number]; err == nil && ok && whose != c.NIF {
			err = scripted
		}
		if err == nil {
			err = t.claim(ctx, c.subject(), number)
		}
		if err == nil {
			c.number = number
		}
		return err
	})
}
