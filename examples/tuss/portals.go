package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// A portal is one of the two that the password opens. Each asks for a level of its own.
type portal struct {
	name  string
	needs civicpin.Level
	act   string // what people do there
}

var (
	tuss   = portal{"Tu Seguridad Social", civicpin.Low, "your contribution periods"}
	sedess = portal{"SEDESS", civicpin.Substantial, "your working life report"}
)

// notHere is what a portal says to a citizen whose level is too low. The password was right, so the portal may say so.
type notHere struct {
	portal portal
	level  civicpin.Level
}

func (e *notHere) Error() string {
	return fmt.Sprintf("%s needs the %s level, and yours is %s. Come to an office with your identity card.",
		e.portal.name, levelNames[e.portal.needs], levelNames[e.level])
}

// portals has Nuria in both portals with one password, and Omar in one.
func (t *tale) portals(ctx context.Context) error {
	t.Step("One password, two portals")
	t.Say("At both, the user is the DNI or NIE. Each asks for a level of its own.")
	for _, p := range []portal{tuss, sedess} {
		if err := t.enter(ctx, t.nuria, p); err != nil {
			return err
		}
	}
	if err := t.enter(ctx, t.omar, tuss); err != nil {
		return err
	}
	return t.shutOut(ctx, t.omar, sedess)
}

// enter logs a citizen in, and has them do something there.
func (t *tale) enter(ctx context.Context, c *citizen, p portal) error {
	return t.ask(fmt.Sprintf("%s's password at %s", c.first(), p.name), []string{c.password}, func(typed string) error {
		err := t.login(ctx, c, p, typed)
		if err == nil {
			c.password = typed
		}
		return err
	})
}

// login is what a portal does with a typed password.
func (t *tale) login(ctx context.Context, c *citizen, p portal, typed string) error {
	ok, err := t.pins.Verify(ctx, c.attempt(typed))
	switch {
	case err != nil:
		return err
	case ok.MustExchange:
		return refusal("This is an activation code. Create your password with it.")
	case ok.Level < p.needs: // asked at each act, not once at the login
		return &notHere{p, ok.Level}
	}
	c.source.Shown = ok.Shown // which the session keeps, so that no stranger uses up what they may ask for
	t.Say("%s: Welcome, %s. Your level is %s. You see %s.", p.name, c.full, levelNames[ok.Level], p.act)
	return nil
}

// shutOut has a citizen try a portal for which their level is too low.
func (t *tale) shutOut(ctx context.Context, c *citizen, p portal) error {
	return t.ask(fmt.Sprintf("%s's password at %s", c.first(), p.name), []string{c.password}, func(typed string) error {
		err := t.login(ctx, c, p, typed)
		if too, ok := errors.AsType[*notHere](err); ok {
			t.Say("%s: %s", p.name, too)
			return nil
		}
		if err == nil {
			err = errors.New("a portal let somebody in at too low a level")
		}
		return err
	})
}

// refused has a citizen type a password that is no longer right.
func (t *tale) refused(ctx context.Context, c *citizen, typed string) error {
	_, err := t.pins.Verify(ctx, c.attempt(typed))
	t.Refuses(err)
	if errors.Is(err, pin.ErrRefused) {
		return nil
	}
	return errors.Join(errors.New("an old password is not refused"), err)
}
