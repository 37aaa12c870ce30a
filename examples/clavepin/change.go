package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// change gives Ana a new number: in the app, and with a PIN that goes to the old one.
func (t *tale) change(ctx context.Context) error {
	if _, err := t.open(ctx, t.ana); err != nil {
		return err
	}
	_, err := t.pins.Verify(ctx, t.ana.attempt(t.carmen.key))
	if err := play.Wanted(err, otp.ErrRefused, "another one's app"); err != nil {
		return err
	}
	old, number := t.ana.number, ""
	t.Say("Ana types her new number into the app, which a PIN to the old one has to confirm.")
	err = t.ask("Her new telephone", []string{t.carmen.number, "655 443 322", "655 443 323"}, func(typed string) (err error) {
		number, err = readMobile(typed)
		switch {
		case err != nil:
			return err
		case number == old:
			return refusal("This is the number that you have.")
		}
		return t.claim(ctx, t.ana.subject(), number) // before anything is sent: nobody else gets it meanwhile
	})
	if err != nil {
		return err
	}
	f := t.ana.form(changePhone(t.ana, number))
	f.by = civicpin.SMS
	if _, err := t.confirm(ctx, t.ana, f, t.at(old), nil); err != nil {
		return err
	}
	if err := t.move(ctx, t.ana, number); err != nil {
		return err
	}
	t.Says("Done. From now on we write to %s.", t.sms(number).Masked())
	f = t.ana.form(workingLife(t.ana))
	f.by = civicpin.SMS
	u, err := t.confirm(ctx, t.ana, f, t.at(number), nil)
	if err != nil {
		return err
	}
	if _, came, err := t.news(old); err != nil || came {
		return errors.Join(err, errors.New("the old telephone is still written to"))
	}
	return t.do(ctx, t.ana, u.deed)
}

// move writes the new number down, and lets the old one go, which may then be somebody else's.
func (t *tale) move(ctx context.Context, c *citizen, number string) error {
	_, err := t.records.Update(ctx, store.Key{Subject: c.subject()}, func(e *store.Entry[record]) error {
		if !e.Found() {
			return errors.New("nobody is registered whose telephone could change")
		}
		e.Value.Phone = number
		return nil
	})
	if err != nil {
		return err
	}
	old := c.number
	c.number = number
	return t.release(ctx, c.subject(), old)
}
