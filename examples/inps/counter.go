package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
)

// otherWays has two more citizens come to a PIN: one by telephone, one at the counter.
func (t *tale) otherWays(ctx context.Context) error {
	t.Step("Two other ways: by telephone with a letter, and at the counter")
	return play.InTurn(ctx, t.byTelephone, t.atCounter)
}

// byTelephone: a call-centre operator asks for a PIN for Luigi, half by SMS and half by post. The letter takes its time, and
// the PIN is valid as long as the slower half may take.
func (t *tale) byTelephone(ctx context.Context) error {
	luigi, err := newCitizen("Luigi Bianchi", luigiCF, t.Clock.Now())
	if err != nil {
		return err
	}
	luigi.street = "Via Roma 12\n00184 Roma RM"
	mobile := civicpin.Contact{Channel: civicpin.SMS, Address: "+393477654321", Locale: t.Lang}
	letter := luigi.letter(t.Lang)
	t.Say("Luigi rings %s. The operator starts it, and sees neither half.", helpLine)
	is, err := t.issue(ctx, luigi, pin.IssueOptions{Parts: []civicpin.Contact{mobile, letter}, By: callCentre})
	if err != nil {
		return err
	}
	if err := t.print(ctx, is, 1); err != nil {
		return err
	}
	sms, err := t.Inbox.Last(mobile.Address)
	if err != nil {
		return err
	}
	t.Say("He has half by SMS at once. The PIN is good for as long as a letter may take, until %s.", t.Local(is.ExpiresAt))
	if err := t.Later(18 * day); err != nil {
		return err
	}
	page, err := t.Inbox.Last(letter.Address)
	if err != nil {
		return err
	}
	t.Show("The letter comes ("+page.File+"):", excerpt(page.Text))
	issued, err := t.firstLogin(ctx, luigi, t.both(luigi, [2]string{sms.Code(), page.Code()}))
	if err != nil {
		return err
	}
	err = t.ask("Luigi's new PIN", []string{"b7xk 29vm"}, func(typed string) error {
		_, err := t.pins.Exchange(ctx, luigi.attempt(issued), civicpin.NewSecret(typed))
		return err
	})
	if err != nil {
		return err
	}
	return t.keep(ctx, luigi)
}

// atCounter: a clerk sees Anna's identity card. Her PIN is dispositivo from the start.
func (t *tale) atCounter(ctx context.Context) error {
	anna, err := newCitizen("Anna Verdi", annaCF, t.Clock.Now())
	if err != nil {
		return err
	}
	anna.contacts = []civicpin.Contact{{Channel: civicpin.Email, Address: "anna.verdi@example.it", Locale: t.Lang}}
	t.Say("Anna comes to the counter with her identity card.")
	halves, err := t.slip(ctx, anna, anna.contacts[0], "CA00000AA")
	if err != nil {
		return err
	}
	issued, err := t.firstLogin(ctx, anna, t.both(anna, halves))
	if err != nil {
		return err
	}
	var own string
	err = t.ask("Anna's new PIN", []string{"w4hd 83rt"}, func(typed string) error {
		own = typed
		_, err := t.pins.Exchange(ctx, anna.attempt(issued), civicpin.NewSecret(typed))
		return err
	})
	if err != nil {
		return err
	}
	ok, err := t.pins.Verify(ctx, anna.attempt(own))
	if err != nil {
		return err
	}
	t.Says("Welcome, Anna. Your PIN is %s.", levelName(ok.Level))
	return t.keep(ctx, anna)
}

// slip issues a PIN at the counter, with half of it on a printed slip, and returns both halves as the citizen reads them.
func (t *tale) slip(ctx context.Context, c citizen, other civicpin.Contact, card string) ([2]string, error) {
	by := pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver, Locale: t.Lang}, other},
		Level: civicpin.Substantial,
		By:    clerk,
	}
	// Nobody becomes dispositivo because a clerk says so: it takes evidence, which is kept.
	_, err := t.pins.Issue(ctx, c.subject(), by)
	if err := play.Wanted(err, pin.ErrWeakEvidence, "dispositivo without evidence"); err != nil {
		return [2]string{}, err
	}
	by.Evidence = civicpin.Evidence{Method: civicpin.InPerson, Document: "carta d'identità " + card, By: clerk}
	is, err := t.issue(ctx, c, by)
	if err != nil {
		return [2]string{}, err
	}
	if err := t.print(ctx, is, 0); err != nil {
		return [2]string{}, err
	}
	var halves [2]string
	for i, p := range is.Parts {
		m, err := t.Inbox.Last(p.Contact.Address)
		if err != nil {
			return [2]string{}, err
		}
		halves[i] = m.Code()
	}
	t.Say("%s has %s on the slip, and %s by %s.", c.name, halves[0], halves[1], channelName(other.Channel))
	return halves, nil
}

// print puts the half that the library does not send onto paper. It is given out once; [pin.Service.Reprint] is for the
// printer that jams.
func (t *tale) print(ctx context.Context, is pin.Issue, part int) error {
	_, err := t.Box.Notify(ctx, civicpin.Message{
		Kind: pin.PartMessage, To: is.Parts[part].Contact, Secret: is.Slip,
		Part: part + 1, Parts: len(is.Parts), ExpiresAt: is.ExpiresAt,
	})
	return err
}
