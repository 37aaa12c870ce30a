package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

const day = 24 * time.Hour

// anew ends the registration that a citizen has from an earlier run: there is one for each person.
func (t *tale) anew(ctx context.Context, c *citizen) error {
	st, err := t.pins.Status(ctx, c.subject())
	if errors.Is(err, pin.ErrNoCredential) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Say("%s registered in an earlier run, and now does so again, which ends the old registration.", c.first())
	if t.Clock.Now().Sub(st.IssuedAt) < day { // there are so many messages a day and no more
		if err := t.Later(day); err != nil {
			return err
		}
	}
	if st.State != "revoked" {
		if err := t.pins.Revoke(ctx, c.subject(), state.Ended, "registered anew", civicpin.Citizen); err != nil {
			return err
		}
	}
	var old string
	_, err = t.records.Update(ctx, store.Key{Subject: c.subject()}, func(e *store.Entry[record]) error {
		old = e.Value.Phone
		if !e.Found() {
			return store.ErrSkip
		}
		e.Drop = true
		return nil
	})
	if err != nil || old == "" {
		return err
	}
	return t.release(ctx, c.subject(), old)
}

// bySMS sends an activation code to the citizen's telephone, and has the app activated with it.
func (t *tale) bySMS(ctx context.Context, c *citizen, o pin.IssueOptions) error {
	o.Parts, o.Source = []civicpin.Contact{t.sms(c.number)}, c.source
	if _, err := t.pins.Issue(ctx, c.subject(), o); err != nil {
		return err
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	m, err := t.came(c.number)
	if err != nil {
		return err
	}
	return t.activate(ctx, c, m)
}

// print puts an activation code onto paper, which the library leaves to its caller. It is given out once;
// [pin.Service.Reprint] is for the printer that jams.
func (t *tale) print(ctx context.Context, is pin.Issue) error {
	_, err := t.Box.Notify(ctx, civicpin.Message{
		Kind: pin.PartMessage, To: is.Parts[0].Contact, Secret: is.Slip, ExpiresAt: is.ExpiresAt,
	})
	return err
}

// activate is what the app does with an activation code that is typed into it, and the end of every registration.
func (t *tale) activate(ctx context.Context, c *citizen, m post.Mail) error {
	prompt := fmt.Sprintf("%s's activation code (%.9s...)", c.first(), m.File)
	err := t.ask(prompt, []string{m.Code()}, func(typed string) error { return t.exchange(ctx, c, typed) })
	if err != nil {
		return err
	}
	c.app = "app-" + strings.ToLower(rand.Text()[:8])
	_, err = t.records.Update(ctx, store.Key{Subject: c.subject()}, func(e *store.Entry[record]) error {
		e.Value = record{Phone: c.number, App: c.app}
		return nil
	})
	if err != nil {
		return err
	}
	// A telephone was bound after its owner's identity was proved: what was guessed wrongly before no longer counts.
	st, err := t.pins.Status(ctx, c.subject())
	if err == nil && len(st.Evidence) > 0 {
		err = t.codes.Rebind(ctx, c.subject(), st.Evidence[len(st.Evidence)-1])
	}
	if err = errors.Join(err, t.cards.Rebind(ctx, lockout.Target{Subject: c.subject()}, civicpin.Citizen)); err != nil {
		return err
	}
	ok, err := t.open(ctx, c)
	if err == nil {
		t.Says("You are registered. Your level is %s.", levelNames[ok.Level])
	}
	return err
}

// exchange trades the code for a key that the app makes.
func (t *tale) exchange(ctx context.Context, c *citizen, typed string) error {
	for {
		key := rand.Text()
		_, err := t.pins.Exchange(ctx, c.attempt(typed), civicpin.NewSecret(key))
		if errors.Is(err, pin.ErrUnfitSecret) {
			continue // once in many million times there is a date or a name in it
		}
		if err == nil {
			c.key = key
		}
		return err
	}
}

// open is what the app does whenever it is opened: it proves with its key that it is the citizen's own.
func (t *tale) open(ctx context.Context, c *citizen) (pin.Verified, error) {
	return t.pins.Verify(ctx, c.attempt(c.key))
}
