package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// letter has Omar registered, and no clerk sees him: the code goes to the address in the register, which gives the basic
// level and no more. A stranger may have asked for it.
func (t *tale) letter(ctx context.Context) error {
	t.Step("Omar registers by letter")
	if err := t.anew(ctx, t.omar); err != nil {
		return err
	}
	to := civicpin.Contact{Channel: civicpin.Letter, Address: t.omar.full + "\n" + t.omar.street, Locale: t.Lang}
	is, err := t.pins.Issue(ctx, t.omar.subject(), pin.IssueOptions{
		Parts: []civicpin.Contact{to}, Register: true, By: civicpin.Citizen, Source: t.omar.source,
	})
	if err != nil {
		return err
	}
	if err := t.print(ctx, is); err != nil {
		return err
	}
	if err := t.Later(6 * day); err != nil {
		return err
	}
	page, err := t.Read("Omar", to.Address)
	if err != nil {
		return err
	}
	if err := t.useCode(ctx, t.omar, omarsFirst, page.Code()); err != nil {
		return err
	}
	err = t.pins.Attest(ctx, t.omar.subject(), civicpin.Evidence{Method: civicpin.LetterCode, By: civicpin.Citizen})
	if err != nil {
		return err
	}
	t.Say("He gives an e-mail address, and no telephone.")
	err = t.ask("Omar's e-mail", []string{"omar@example.es"}, func(typed string) (err error) {
		if t.omar.email, err = readEmail(typed); err != nil {
			return err
		}
		return t.add(ctx, t.omar, t.mail(t.omar.email), civicpin.Citizen)
	})
	if err != nil {
		return err
	}
	if err := t.openLink(ctx, t.omar); err != nil {
		return err
	}
	return t.strike(ctx, t.omar) // what an earlier run left
}
