package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
)

const notAlike = refusal("The two are not alike.")

// choose is the page on which a citizen chooses a password, typed twice, and then logs in with it.
func (t *tale) choose(ctx context.Context, c *citizen, grant pin.Grant, suggestions ...string) error {
	for i := range play.Answers {
		suggestion := suggestions[min(i, len(suggestions)-1)]
		once, err := t.Ask("New password", suggestion)
		if err != nil {
			return err
		}
		again, err := t.Ask("Once more", once)
		if err != nil {
			return err
		}
		chosen := civicpin.NewSecret(once)
		if chosen.Equal(civicpin.NewSecret(again)) {
			_, err = t.pins.Set(ctx, grant, chosen, c.source, c.personal()...)
		} else {
			err = notAlike
		}
		if err == nil {
			c.password = once
			return errors.Join(t.Deliver(ctx), t.login(ctx, c))
		}
		if !t.Refuses(err) {
			return err
		}
	}
	return play.ErrAnswers
}

// login is the page behind which everything is.
func (t *tale) login(ctx context.Context, c *citizen) error {
	_, err := t.signIn(ctx, c)
	return err
}

func (t *tale) signIn(ctx context.Context, c *citizen) (ok pin.Verified, err error) {
	err = t.ask(c.name+"'s password", []string{c.password}, func(typed string) (err error) {
		if ok, err = t.pins.Verify(ctx, c.attempt(typed)); err != nil {
			return err
		}
		c.password = typed
		t.Says("Welcome, %s. (Level of assurance: %s.)", c.name, ok.Level)
		return nil
	})
	return ok, err
}
