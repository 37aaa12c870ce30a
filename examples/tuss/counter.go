package main

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// terms are what everybody signs who registers, by their version.
const terms = "2026-01"

// A record is what the agency itself keeps of a registered citizen. Contacts are with package recovery, the level and the
// evidence for it with package pin.
type record struct {
	Terms  string    `json:"terms"`
	Signed time.Time `json:"signed"`
}

// counter has Nuria register in person: a clerk sees her and her card, types what she says, and hands her a slip.
func (t *tale) counter(ctx context.Context) error {
	t.Step("Nuria registers at a counter of the social security")
	if err := t.opening(); err != nil {
		return err
	}
	if err := t.anew(ctx, t.nuria); err != nil {
		return err
	}
	t.Say("The clerk looks at her and at her identity card, and types:")
	err := play.AskID(t.Page, "Her DNI or NIE", []string{"12345678A", "12.345.678-Z"}, ident.ParseNIF, t.nuria.nif,
		"This is not the number on her card.")
	if err != nil {
		return err
	}
	err = t.typeContacts(ctx, t.nuria, []string{"91 123 45 67", "612 345 678"}, []string{"nuria at example.es", "nuria@example.es"})
	if err != nil {
		return err
	}
	slip, err := t.proveAndSign(ctx, t.nuria)
	if err != nil {
		return err
	}
	t.Show("She reads on the slip ("+slip.File+"):", slip.Text)
	t.Say("Nobody else keeps the code: it is not in the register, and the clerk cannot ask for it again.")
	return nil
}

// typeContacts are the fields for telephone and e-mail, which the clerk fills in. Each is sent something that proves it.
func (t *tale) typeContacts(ctx context.Context, c *citizen, mobiles, emails []string) error {
	err := t.ask(c.first()+"'s telephone", mobiles, func(typed string) (err error) {
		if c.mobile, err = readMobile(typed); err != nil {
			return err
		}
		return t.add(ctx, c, t.sms(c.mobile), clerk.ID)
	})
	if err != nil {
		return err
	}
	return t.ask(c.first()+"'s e-mail", emails, func(typed string) (err error) {
		if c.email, err = readEmail(typed); err != nil {
			return err
		}
		return t.add(ctx, c, t.mail(c.email), clerk.ID)
	})
}

// proveAndSign has a citizen at a counter prove their telephone and sign the terms, and then hands them a slip.
func (t *tale) proveAndSign(ctx context.Context, c *citizen) (post.Mail, error) {
	if err := t.sayCode(ctx, c); err != nil {
		return post.Mail{}, err
	}
	if err := t.sign(ctx, c); err != nil {
		return post.Mail{}, err
	}
	return t.slip(ctx, c)
}

// sign keeps the version of the terms that was signed on paper.
func (t *tale) sign(ctx context.Context, c *citizen) error {
	_, err := t.records.Update(ctx, store.Key{Subject: c.subject()}, func(e *store.Entry[record]) error {
		e.Value = record{Terms: terms, Signed: t.Clock.Now()}
		return nil
	})
	if err == nil {
		t.Say("%s reads the terms, version %s, and signs them.", c.first(), terms)
	}
	return err
}

// slip issues an activation code on the strength of what the clerk has seen, and prints it.
func (t *tale) slip(ctx context.Context, c *citizen) (post.Mail, error) {
	is, err := t.pins.Issue(ctx, c.subject(), pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver, Locale: t.Lang}},
		Level: civicpin.Substantial, Evidence: seen(c), By: clerk.ID,
	})
	if err != nil {
		return post.Mail{}, err
	}
	if err := t.print(ctx, is); err != nil {
		return post.Mail{}, err
	}
	return t.Inbox.Last("")
}

// print puts an activation code onto paper, which the library leaves to its caller. It is given out once;
// [pin.Service.Reprint] is for the printer that jams.
func (t *tale) print(ctx context.Context, is pin.Issue) error {
	_, err := t.Box.Notify(ctx, civicpin.Message{
		Kind: pin.PartMessage, To: is.Parts[0].Contact, Secret: is.Slip, ExpiresAt: is.ExpiresAt,
	})
	return err
}

// anew ends the registration that a citizen has from an earlier run, so that the story can be told again.
func (t *tale) anew(ctx context.Context, c *citizen) error {
	st, err := t.status(ctx, c)
	if err != nil || st.State == "" {
		return err
	}
	t.Say("%s registered in an earlier run, and now does so again, which ends the old registration.", c.first())
	if t.Clock.Now().Sub(st.IssuedAt) < day { // there are so many messages a day and no more
		if err := t.Later(day); err != nil {
			return err
		}
	}
	return t.pins.Revoke(ctx, c.subject(), state.Ended, "registered anew", clerk.ID)
}
