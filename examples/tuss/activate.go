package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
)

// ownPasswords are those that people in this story choose.
const (
	nuriasFirst  = "tres cerezas en julio"
	nuriasSecond = "la mesa verde canta"
	nuriasThird  = "siete barcos de papel"
	nuriasFourth = "viento, queso y tranvía"
	omarsFirst   = "un gato azul en Lugo"
	omarsSecond  = "mi abuela toca el bajo"
	juliasFirst  = "patatas con arco iris"
	spare        = "otro reloj sin agujas" // for who had the one above in an earlier run
)

// activate has Nuria exchange the code for her password. The code opens nothing else.
func (t *tale) activate(ctx context.Context) error {
	t.Step("At home: the activation code for a password")
	slip, err := t.Inbox.Last("")
	if err != nil {
		return err
	}
	code, err := t.typeCode(ctx, t.nuria, []string{"7777 8888 9999", slip.Code()})
	if err != nil {
		return err
	}
	t.Says("Right. Your password, please: 15 characters or more.")
	bad := []string{"nuria1979", "Nuria Vidal Soler", "tuseguridadsocial", "abcdefghijklmnop"}
	if err := t.exchange(ctx, t.nuria, code, append(bad, nuriasFirst)); err != nil {
		return err
	}
	if err := t.openLink(ctx, t.nuria); err != nil {
		return err
	}
	if err := t.strike(ctx, t.nuria); err != nil { // what an earlier run left
		return err
	}
	at := []civicpin.Contact{t.sms(t.nuria.mobile), t.mail(t.nuria.email)}
	// The clerk saw them: after an undo of an earlier run none is disputed.
	if err := t.contacts.Adopt(ctx, t.nuria.subject(), at, clerk.ID, civicpin.Source{}); err != nil {
		return err
	}
	_, err = t.pins.Verify(ctx, t.nuria.attempt(code))
	t.Say("The slip is good for nothing now:")
	t.Refuses(err)
	return play.Wanted(err, pin.ErrRefused, "the activation code after its exchange")
}

// typeCode is the page of the activation code, and returns what was right.
func (t *tale) typeCode(ctx context.Context, c *citizen, suggestions []string) (code string, err error) {
	err = t.ask(c.first()+"'s activation code", suggestions, func(typed string) error {
		code = typed
		ok, err := t.pins.Verify(ctx, c.attempt(typed))
		if err == nil && !ok.MustExchange {
			err = refusal("You have a password already: that is for the login.")
		}
		return err
	})
	return code, err
}

// exchange is the page on which a citizen chooses their first password.
func (t *tale) exchange(ctx context.Context, c *citizen, code string, suggestions []string) error {
	return t.choose(c, suggestions, func(chosen civicpin.Secret) error {
		_, err := t.pins.Exchange(ctx, c.attempt(code), chosen)
		return err
	})
}

// useCode is both pages: the code, of which the last one suggested is right, and then the password.
func (t *tale) useCode(ctx context.Context, c *citizen, password string, codes ...string) error {
	code, err := t.typeCode(ctx, c, codes)
	if err != nil {
		return err
	}
	return t.exchange(ctx, c, code, []string{password})
}

// choose is every page on which a citizen chooses a password. set says whether it may be.
func (t *tale) choose(c *citizen, suggestions []string, set func(chosen civicpin.Secret) error) error {
	for _, end := range []string{"", " y tres", " y cuatro", " y cinco", " y seis", " y siete"} { // what was lost is not taken again
		suggestions = append(suggestions, spare+end)
	}
	return t.ask(c.first()+"'s new password", suggestions, func(typed string) error {
		if err := set(civicpin.NewSecret(typed)); err != nil {
			return err
		}
		c.password = typed
		return nil
	})
}
