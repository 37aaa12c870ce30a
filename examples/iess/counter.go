package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// counter is for who comes in person, as a foreigner without a cédula has to: no page of the portal begins without one.
func (t *tale) counter(ctx context.Context) error {
	t.Step("At the counter: Camila has a passport, and no cédula")
	_, err := ident.ParseCedula("AV123456")
	t.Say("On line she types the number of her passport:")
	t.Refuses(err)
	if err := play.Wanted(err, civicpin.ErrInvalid, "a passport instead of a cédula"); err != nil {
		return err
	}
	if err := t.keyAtCounter(ctx, t.camila, "pasaporte COL AV123456", "café con pan de yuca"); err != nil {
		return err
	}
	if err := t.lockUp(ctx, t.camila); err != nil {
		return err
	}
	t.Say("She comes back with her passport, and the clerk unlocks the key.")
	if err := t.unlockAtCounter(ctx, t.camila, "pasaporte COL AV123456"); err != nil {
		return err
	}
	return t.login(ctx, t.camila)
}

// keyAtCounter has a clerk, who has seen a document, hand over a code on a slip. At home it is exchanged for a password.
func (t *tale) keyAtCounter(ctx context.Context, c *citizen, document, password string) error {
	if err := t.anew(ctx, c); err != nil {
		return err
	}
	return t.slip(ctx, c, document, password)
}

// slip is keyAtCounter for a citizen whose key takes another secret on evidence: there is none, or it was repudiated.
func (t *tale) slip(ctx context.Context, c *citizen, document, password string) error {
	is, err := t.pins.Issue(ctx, c.subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}},
		Level: civicpin.Substantial, By: clerk.ID,
		Evidence: civicpin.Evidence{Method: civicpin.InPerson, Document: document, By: clerk.ID},
	})
	if err != nil {
		return err
	}
	t.Say("The clerk sees %s's document, and hands over a slip.", c.name)
	var code string
	err = t.ask("The code on it", []string{is.Slip.Reveal()}, func(typed string) error {
		code = typed
		_, err := t.pins.Verify(ctx, c.attempt(code)) // good for nothing but for the next page
		return err
	})
	if err != nil {
		return err
	}
	err = t.ask("New password", []string{password}, func(typed string) error {
		_, err := t.pins.Exchange(ctx, c.attempt(code), civicpin.NewSecret(typed))
		if err == nil {
			c.password = typed
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.login(ctx, c)
}

// unlockAtCounter is the shortest plan: an operator at an agency has seen the citizen. The run has no ticket, and nobody gets
// anything but what it is for.
func (t *tale) unlockAtCounter(ctx context.Context, c *citizen, document string) error {
	run, err := t.rec.StartBy(ctx, inPerson, c.subject, clerk)
	if err != nil {
		return err
	}
	run, err = t.rec.Decide(ctx, run.ID, clerk, recovery.Verdict{Approve: true, Reason: document + " seen", Source: operators})
	if err == nil && !run.Done {
		err = errors.New("something more is asked at the counter")
	}
	return err
}
