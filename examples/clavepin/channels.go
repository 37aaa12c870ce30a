package main

import (
	"context"
	"errors"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/otp"
)

// channels are the ways on which the three characters come: pushed to the app, pulled by the app, in a text message.
func (t *tale) channels(ctx context.Context) error {
	t.Step("Three characters: pushed, pulled, and by SMS")
	return play.InTurn(ctx, t.pushed, t.pulled, t.texted, t.nothingLate)
}

// pushed is the PIN that Ana has asked for.
func (t *tale) pushed(ctx context.Context) error {
	find := t.shown(t.ana, t.ana.app)
	u := t.asked
	if err := find(&u); err != nil {
		return err
	}
	u, err := t.typeCode(ctx, t.ana, u, []string{u.typed})
	if errors.Is(err, errUsedUp) {
		u, err = t.confirm(ctx, t.ana, t.ana.form(workingLife(t.ana)), find, nil)
	}
	if err != nil {
		return err
	}
	return t.do(ctx, t.ana, u.deed)
}

var errNoNet = errors.New("push: no telephone of that name on the net")

// pulled: the telephone is out of reach when the PIN is pushed to it. When Ana opens the app, it asks what is there.
func (t *tale) pulled(ctx context.Context) error {
	t.Say("The next push is lost: she is in a lift.")
	t.Box.Fail(t.ana.app, errNoNet)
	u, err := t.confirm(ctx, t.ana, t.ana.form(workingLife(t.ana)), func(u *used) (err error) {
		if u.typed, err = t.pull(ctx, t.ana, u.req); err == nil {
			t.Say("She opens the app, which asks for what waits for her, and shows %s.", u.typed)
		}
		return err
	}, nil)
	t.Box.Fail(t.ana.app, nil)
	if err != nil {
		return err
	}
	return t.do(ctx, t.ana, u.deed)
}

// pull is what the app asks the server when it is opened. It is let in with its own key only: who is shown a pending PIN is
// the citizen, as far as anybody can tell.
func (t *tale) pull(ctx context.Context, c *citizen, req otp.Request) (string, error) {
	if _, err := t.open(ctx, c); err != nil {
		return "", err
	}
	pending, err := t.codes.Pending(ctx, c.subject())
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(pending, func(p otp.PendingCode) bool { return p.ID == req.ID })
	if i < 0 {
		return "", errors.New("the app finds no PIN that waits")
	}
	return pending[i].Code.Reveal(), nil
}

func (t *tale) texted(ctx context.Context) error {
	t.Say("With no net for the app, she has it sent by SMS.")
	f := t.ana.form(workingLife(t.ana))
	f.by = civicpin.SMS
	u, err := t.confirm(ctx, t.ana, f, t.shown(t.ana, t.ana.number), nil)
	if err != nil {
		return err
	}
	return t.do(ctx, t.ana, u.deed)
}

// nothingLate lets a day pass, in which the net is back. The push that could not be sent in time is not sent any more.
func (t *tale) nothingLate(ctx context.Context) error {
	if err := t.Later(day); err != nil {
		return err
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	_, late, err := t.news(t.ana.app)
	if err == nil && late {
		err = errors.New("a PIN was pushed that had been used")
	}
	return err
}
