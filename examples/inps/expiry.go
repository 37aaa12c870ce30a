package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
)

const day = 24 * time.Hour

// expiry lets three months pass, after which the PIN has to be changed, and six without a login, after which it is gone.
func (t *tale) expiry(ctx context.Context) error {
	t.Step("Three months, and six without use: the PIN expires")
	return play.InTurn(ctx, t.tooOld, t.unused)
}

func (t *tale) tooOld(ctx context.Context) error {
	if err := t.Later(90 * day); err != nil {
		return err
	}
	if err := t.loginExpired(ctx, state.SinceChange); err != nil {
		return err
	}
	current := t.pin
	return t.newPIN([]string{current}, func(chosen civicpin.Secret) error {
		_, err := t.pins.Change(ctx, t.maria.attempt(current), chosen)
		return err
	})
}

func (t *tale) unused(ctx context.Context) error {
	if err := t.Later(180 * day); err != nil {
		return err
	}
	if err := t.loginExpired(ctx, state.SinceUse); err != nil {
		return err
	}
	t.Say("She goes to the counter with her identity card and her contacts, and so stays dispositivo.")
	halves, err := t.slip(ctx, t.maria, t.maria.contacts[1], "CA12345BB")
	if err != nil {
		return err
	}
	if err := t.sign(ctx, t.maria); err != nil {
		return err
	}
	return t.chooseAnew(ctx, halves)
}

// loginExpired is a login with the right PIN after its time. Who does not know the PIN is not told that it expired.
func (t *tale) loginExpired(ctx context.Context, since state.Expiry) error {
	typed, _, err := t.signIn(ctx, t.maria, func() (string, error) { return t.Ask("Maria's PIN", t.pin) })
	if expired, ok := errors.AsType[*pin.ExpiredError](err); ok && expired.Since != since {
		return fmt.Errorf("expired since %s, not %s", expired.Since, since)
	}
	t.pin = typed
	t.Refuses(err)
	return play.Wanted(err, pin.ErrExpired, "a PIN after its time")
}
