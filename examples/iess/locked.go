package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
)

// locked has a stranger lock Lucía's key with five wrong logins, and Lucía unlock it by a link.
func (t *tale) locked(ctx context.Context) error {
	t.Step("Five wrong logins lock her key, and a link unlocks it")
	if err := t.guesses(ctx); err != nil {
		return err
	}
	if err := t.lockedOut(ctx, t.lucia); err != nil {
		return err
	}
	v, err := t.visit(ctx, byLink, t.lucia)
	if err != nil {
		return err
	}
	t.Says("We have written to %s. The link is good until %s.", v.Next.Sent.Masked, t.Hour(v.Next.Sent.ExpiresAt))
	link, err := t.news(ctx, "Lucía", v.email, recovery.ToRecover)
	if err != nil {
		return err
	}
	// The grant of a plan that unlocks is empty: it is done.
	if _, err := t.rec.Finish(ctx, link, v.source); err != nil {
		return err
	}
	t.Says("Your key is unlocked, if it was locked. Your password is what it was.")
	return errors.Join(t.Deliver(ctx), t.login(ctx, t.lucia))
}

// stranger is where an attacker comes from who knows a cédula, as many do.
var stranger = civicpin.Source{Address: "203.0.113.66"}

// guesses has a stranger guess at Lucía's password and at that of an unknown cédula. The page says the same.
func (t *tale) guesses(ctx context.Context) error {
	var hers string
	err := t.ask("A stranger's guess", []string{guess}, func(typed string) (err error) {
		if hers, err = t.guessAll(ctx, t.lucia.subject, typed); err != nil {
			return err
		}
		others, err := t.guessAll(ctx, civicpin.Subject(t.people.nobody()), typed)
		if err == nil && others != hers {
			err = fmt.Errorf("the page tells who has a key: %s, and %s", hers, others)
		}
		return err
	})
	if err == nil {
		t.Say("Five times as Lucía: %s. As somebody who does not exist: the same.", hers)
	}
	return err
}

const guess = "iess quito 2026"

// lockUp has the stranger lock a citizen's key.
func (t *tale) lockUp(ctx context.Context, c *citizen) error {
	said, err := t.guessAll(ctx, c.subject, guess)
	if err == nil {
		t.Say("A stranger guesses at %s's password: %s.", c.name, said)
	}
	return err
}

const thatIsIt = refusal("Welcome. (That is the password, and the stranger would be in. Another guess, please.)")

// guessAll guesses until it locks, and returns what the page said each time.
func (t *tale) guessAll(ctx context.Context, subject civicpin.Subject, guess string) (string, error) {
	c := citizen{subject: subject, source: stranger}
	var said []string
	for range t.pins.Policy().Lockout.Limit {
		_, err := t.pins.Verify(ctx, c.attempt(guess))
		refused, isRefused := errors.AsType[*lockout.RefusedError](err)
		_, isLocked := errors.AsType[*lockout.LockedError](err)
		switch {
		case err == nil:
			return "", thatIsIt
		case isRefused:
			said = append(said, fmt.Sprintf("%d left", refused.Left))
		case isLocked:
			said = append(said, "locked")
		default:
			return "", err
		}
	}
	return strings.Join(said, ", "), nil
}

// lockedOut is a login with the right password while the key is locked.
func (t *tale) lockedOut(ctx context.Context, c *citizen) error {
	typed, err := t.Ask(c.name+"'s password", c.password)
	if err != nil {
		return err
	}
	_, err = t.pins.Verify(ctx, c.attempt(typed))
	if err := untilUnlocked(err, "a login while the key is locked"); err != nil {
		return err
	}
	t.Says("Your key is locked. Unlock it by e-mail, in a video call, or at an agency.")
	return nil
}

// untilUnlocked returns nil for the error of a lock that does not end by itself, and otherwise what went wrong.
func untilUnlocked(err error, what string) error {
	locked, ok := errors.AsType[*lockout.LockedError](err)
	if ok && locked.Until.IsZero() && !locked.Disabled {
		return nil
	}
	return fmt.Errorf("%s: not locked until it is unlocked, but %w", what, errors.Join(err))
}
