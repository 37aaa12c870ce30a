package main

import (
	"context"
	"errors"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/recovery"
)

// newContact gives Nuria another e-mail address. The old one is told, and can undo it; until that is over, the new one proves
// nothing, and her level is basic.
func (t *tale) newContact(ctx context.Context) error {
	if err := t.enter(ctx, t.nuria, tuss); err != nil {
		return err
	}
	old := t.nuria.email
	err := t.ask("Her new e-mail", []string{old, "nuria.vidal@correo.example"}, func(typed string) error {
		address, err := readEmail(typed)
		if err != nil {
			return err
		}
		return t.replace(ctx, t.nuria, t.mail(old), t.mail(address), t.nuria.source)
	})
	if err != nil {
		return err
	}
	if err := t.openLink(ctx, t.nuria); err != nil {
		return err
	}
	if err := t.told(ctx, old, t.nuria.mobile); err != nil {
		return err
	}
	t.Say("For seven days that can be undone. So long her level is basic, and the new address proves nothing:")
	if err := t.shutOut(ctx, t.nuria, sedess); err != nil {
		return err
	}
	ticket, err := t.begin(ctx, t.nuria.subject(), t.nuria.source)
	if err != nil {
		return err
	}
	_, err = t.answerDate(ctx, ticket, t.nuria.born, t.nuria.source)
	t.Refuses(err)
	if err := play.Wanted(err, recovery.ErrRefused, "a recovery over a contact that cools down"); err != nil {
		return err
	}
	if err := t.Later(7 * day); err != nil {
		return err
	}
	return t.enter(ctx, t.nuria, sedess)
}

const known = refusal("This is the contact that you have.")

// add has the library ask for the proof of a new contact. It is no error if the citizen has it already.
func (t *tale) add(ctx context.Context, c *citizen, to civicpin.Contact, by civicpin.Actor) error {
	_, has, err := t.contact(ctx, c, to)
	if err != nil || has {
		return err
	}
	if _, err := t.contacts.Add(ctx, c.subject(), to, by, c.source); err != nil {
		return err
	}
	return t.Deliver(ctx)
}

// replace is add for a contact that is to take the place of another one.
func (t *tale) replace(ctx context.Context, c *citizen, old, to civicpin.Contact, source civicpin.Source) error {
	had, has, err := t.contact(ctx, c, old)
	if err != nil || !has {
		return errors.Join(err, errors.New("the contact that is to be changed is not there"))
	}
	_, err = t.contacts.Change(ctx, c.subject(), had.ID, to, civicpin.Citizen, source)
	if errors.Is(err, contact.ErrUnsuitable) {
		return known
	}
	if err != nil {
		return err
	}
	if to.Channel == civicpin.Email {
		c.email = to.Address
	} else {
		c.mobile = to.Address
	}
	return t.Deliver(ctx)
}

// contact returns the contact of a citizen at an address.
func (t *tale) contact(ctx context.Context, c *citizen, to civicpin.Contact) (contact.Contact, bool, error) {
	all, _, err := t.contacts.List(ctx, c.subject())
	i := slices.IndexFunc(all, func(p contact.Contact) bool { return p.SameAddress(to) })
	if err != nil || i < 0 {
		return contact.Contact{}, false, err
	}
	return all[i], true, nil
}

// openLink proves an e-mail address by the link that came there.
func (t *tale) openLink(ctx context.Context, c *citizen) error {
	if _, has, err := t.contact(ctx, c, t.mail(c.email)); err != nil || has {
		return err
	}
	m, err := t.linked(ctx, c.email, recovery.ToProve)
	if err != nil {
		return err
	}
	link := civicpin.NewSecret(m.Link())
	if _, err := t.rec.Inspect(ctx, link); err != nil { // the page with the button
		return err
	}
	if err := t.contacts.Prove(ctx, link, c.source); err != nil {
		return err
	}
	t.Say("%s opens the link in \"%s\" (%s), and confirms.", c.first(), m.Subject, m.File)
	return nil
}

// sayCode proves a telephone by the code that came there.
func (t *tale) sayCode(ctx context.Context, c *citizen) error {
	if _, has, err := t.contact(ctx, c, t.sms(c.mobile)); err != nil || has {
		return err
	}
	m, err := t.Inbox.Last(c.mobile)
	if err != nil {
		return err
	}
	t.Show(c.first()+" reads ("+m.File+"):", m.Text)
	prove := func(typed string) error {
		return t.contacts.ProveCode(ctx, c.subject(), civicpin.NewSecret(typed), c.source)
	}
	return t.typed(ctx, c.mobile, prove, func() error { return t.add(ctx, c, t.sms(c.mobile), clerk.ID) })
}

// typed is the field for a code that came to a telephone, with suggestions in front of it. While wrong ones are locked its ten
// minutes pass, and another one has to be sent.
func (t *tale) typed(
	ctx context.Context, number string, use func(typed string) error, again func() error, before ...func(post.Mail) string,
) error {
	for range play.Answers {
		m, err := t.Inbox.Last(number)
		if err != nil {
			return err
		}
		var suggestions []string
		for _, s := range before {
			suggestions = append(suggestions, s(m))
		}
		err = t.ask("The code", append(suggestions, m.Code()), use)
		if !errors.Is(err, recovery.ErrExpired) {
			return err
		}
		t.Says("Too late: its ten minutes have passed. Another one is on its way.")
		if err := errors.Join(again(), t.Deliver(ctx)); err != nil {
			return err
		}
	}
	return play.ErrAnswers
}
