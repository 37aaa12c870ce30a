package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// forgotten has Maria lose her PIN, and get a new one on line.
func (t *tale) forgotten(ctx context.Context) error {
	t.Step("A forgotten PIN: two contacts, a link and a code")
	lost := t.pin
	named := typedContacts(t.maria.contacts[:2])
	wrong := slices.Clone(t.maria.contacts[:2])
	wrong[0].Address = otherAddress(wrong[0])
	_, err := t.nameContacts(ctx, t.maria, []string{typedContacts(wrong), typedContacts(wrong[1:]), named})
	if err != nil {
		return err
	}
	m, err := t.Read("Maria", t.mailbox().Address)
	if err != nil {
		return err
	}
	if err := t.late(ctx, civicpin.NewSecret(m.Link())); err != nil {
		return err
	}
	ticket, err := t.nameContacts(ctx, t.maria, []string{named})
	if err != nil {
		return err
	}
	grant, err := t.prove(ctx, ticket)
	if err != nil {
		return err
	}
	halves, err := t.reissue(ctx, t.maria, grant)
	if err != nil {
		return err
	}
	t.Say("The lost PIN is good for nothing from now on:")
	_, err = t.pins.Verify(ctx, t.maria.attempt(lost))
	t.Refuses(err)
	if err := play.Wanted(err, pin.ErrRefused, "a PIN after its recovery"); err != nil {
		return err
	}
	return t.chooseAnew(ctx, halves)
}

// otherAddress is an address that Maria took for hers.
func otherAddress(c civicpin.Contact) string {
	if c.Channel == civicpin.SMS {
		return "+393339998877"
	}
	return "once." + c.Address
}

// nameContacts is the page "I lost my PIN", which any visitor can reach. It returns the ticket, which a page keeps in a cookie.
func (t *tale) nameContacts(ctx context.Context, c citizen, suggestions []string) (civicpin.Secret, error) {
	ticket, err := t.begin(ctx, c.subject(), c.source)
	if err != nil {
		return civicpin.Secret{}, err
	}
	err = t.ask("Two of "+c.name+"'s contacts", suggestions, func(typed string) error {
		contacts, err := readContacts(typed, t.Lang)
		if err == nil {
			err = t.name(ctx, ticket, contacts, c.source)
		}
		return t.patient(err)
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	t.Says("A link and a code are on their way. They are good for an hour, and once.")
	return ticket, t.Deliver(ctx)
}

// begin begins a recovery, for any subject.
func (t *tale) begin(ctx context.Context, subject civicpin.Subject, source civicpin.Source) (civicpin.Secret, error) {
	run, err := t.rec.Start(ctx, lostPIN.Name, subject, source)
	return run.Ticket, err
}

// notTwo is what the page says of contacts that are not right. Wrong ones, a single one and those of an unknown
// subject get the same words.
const notTwo = refusal("We do not know two such contacts for this codice fiscale. If you have but one, come to an INPS office\n" +
	"with your identity card, or ring " + helpLine + ".")

// name answers the page.
func (t *tale) name(ctx context.Context, ticket civicpin.Secret, contacts []civicpin.Contact, source civicpin.Source) error {
	_, err := t.rec.Answer(ctx, ticket, recovery.Answers{Contacts: contacts, Source: source})
	if errors.Is(err, recovery.ErrRefused) {
		err = errors.Join(notTwo, err)
	}
	return err
}

// late uses a link a second after its time.
func (t *tale) late(ctx context.Context, link civicpin.Secret) error {
	look, err := t.rec.Inspect(ctx, link)
	if err != nil {
		return err
	}
	if err := t.Clock.Skip(look.ExpiresAt.Add(time.Second).Sub(t.Clock.Now())); err != nil {
		return err
	}
	t.Say("… one hour and one second later …")
	_, err = t.rec.Finish(ctx, link, t.maria.source)
	t.Refuses(err)
	return play.Wanted(err, recovery.ErrExpired, "a link after its time")
}

// prove has Maria open the link, after her provider did, or type the code into the page that she began on.
func (t *tale) prove(ctx context.Context, ticket civicpin.Secret) (grant pin.Grant, err error) {
	m, err := t.Inbox.Last(t.mailbox().Address)
	if err != nil {
		return pin.Grant{}, err
	}
	link := civicpin.NewSecret(m.Link())
	for range 2 { // a GET: nothing happens
		if _, err := t.rec.Inspect(ctx, link); err != nil {
			return pin.Grant{}, err
		}
	}
	t.Say("Her provider opens the link twice, to see whether it is dangerous. It finds a page with a button (%s).", m.File)
	err = t.ask("Her code, or \"link\" to press that button", []string{"link"}, func(typed string) (err error) {
		if typed == "link" {
			grant, err = t.rec.Finish(ctx, link, t.maria.source)
			return err
		}
		_, err = t.rec.Answer(ctx, ticket, recovery.Answers{Code: civicpin.NewSecret(typed), Source: t.maria.source})
		if errors.Is(err, recovery.ErrRefused) {
			err = errors.Join(refusal("This is not the code."), err)
		}
		if err == nil {
			grant, err = t.rec.Finish(ctx, ticket, t.maria.source)
		}
		return t.patient(err)
	})
	if err != nil {
		return pin.Grant{}, err
	}
	_, err = t.rec.Finish(ctx, link, t.maria.source)
	return grant, play.Wanted(err, recovery.ErrGone, "a link whose recovery was completed")
}

// reissue has the halves of a new PIN sent, and returns them as their reader finds them.
func (t *tale) reissue(ctx context.Context, c citizen, grant pin.Grant) (halves [2]string, err error) {
	is, err := t.pins.Reissue(ctx, grant, c.source)
	if err != nil {
		return halves, err
	}
	if err := t.Deliver(ctx); err != nil {
		return halves, err
	}
	for i, p := range is.Parts {
		if halves[i], err = t.half(p.Contact.Address); err != nil {
			return halves, err
		}
		t.Say("Half of the new PIN comes by %s: %s.", channelName(p.Contact.Channel), halves[i])
	}
	return halves, nil
}

// half is the newest code that came to an address: notices may have come after it.
func (t *tale) half(address string) (string, error) {
	all, err := t.Inbox.All(address)
	if err != nil {
		return "", err
	}
	for _, m := range slices.Backward(all) {
		if code := m.Code(); code != "" {
			return code, nil
		}
	}
	return "", errors.New("no code has come")
}

// mailbox is where Maria's links go: the plan prefers e-mail.
func (t *tale) mailbox() civicpin.Contact {
	link := lostPIN.Steps[1].(plan.Link)
	for _, channel := range append([]civicpin.Channel{link.Channel}, link.Or...) {
		i := slices.IndexFunc(t.maria.contacts[:2], func(c civicpin.Contact) bool { return c.Channel == channel })
		if i >= 0 {
			return t.maria.contacts[i]
		}
	}
	return civicpin.Contact{} // of two kinds of contact, one is some e-mail
}

// patient lets a lock end that does, and has the page ask again.
func (t *tale) patient(err error) error {
	locked, ok := errors.AsType[*lockout.LockedError](err)
	if !ok || locked.Until.IsZero() {
		return err
	}
	if err := t.Wait(locked); err != nil {
		return err
	}
	return refusal("Once more, please.")
}
