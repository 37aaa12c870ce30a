package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// guesses has a stranger guess at Maria's PIN, and at that of an unknown subject. They see no difference.
func (t *tale) guesses(ctx context.Context) error {
	var guess, hers string
	err := t.ask("The stranger's guess", []string{"maria85x"}, func(typed string) (err error) {
		guess = typed
		hers, err = t.guessAll(ctx, t.maria.subject(), guess)
		return err
	})
	if err != nil {
		return err
	}
	others, err := t.guessAll(ctx, nobody(), guess)
	if err != nil {
		return err
	}
	t.Say("At Maria's codice fiscale: %s", hers)
	t.Say("At one that nobody has:    %s", others)
	t.Say("Maria herself has to wait, although her PIN is right:")
	if _, err := t.login(ctx); err != nil { // waits
		return err
	}
	t.Say("The stranger comes back, and locks her out again. She rings %s and is asked who she is.", helpLine)
	if _, err := t.guessAll(ctx, t.maria.subject(), guess); err != nil {
		return err
	}
	st, err := t.pins.Status(ctx, t.maria.subject())
	if err != nil {
		return err
	}
	if st.Lockout.Locked == nil {
		return errors.New("five wrong guesses did not lock")
	}
	t.Say("The operator sees %d wrong tries, and a lock until %s, and ends it.",
		st.Lockout.Failures, t.Local(st.Lockout.Locked.Until))
	if err := t.pins.Unlock(ctx, t.maria.subject(), callCentre); err != nil {
		return err
	}
	_, err = t.login(ctx)
	return err
}

// stranger is a guess by a stranger.
func stranger(subject civicpin.Subject, guess string) pin.Attempt {
	return pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(guess), Source: civicpin.Source{Address: "203.0.113.66"}}
}

// lockedFor says for how long something is locked, whenever that began.
func (t *tale) lockedFor(locked *lockout.LockedError) string {
	return fmt.Sprintf("locked for %.0f minutes", locked.Until.Sub(t.Clock.Now()).Minutes())
}

// guessAll guesses until it locks, and returns what the page said each time.
func (t *tale) guessAll(ctx context.Context, subject civicpin.Subject, guess string) (string, error) {
	var said []string
	for range t.pins.Policy().Lockout.Limit {
		_, err := t.pins.Verify(ctx, stranger(subject, guess))
		refused, isRefused := errors.AsType[*lockout.RefusedError](err)
		locked, isLocked := errors.AsType[*lockout.LockedError](err)
		switch {
		case err == nil:
			return "", refusal("Welcome, Maria. (That is her PIN, and the stranger would be in. Another guess, please.)")
		case isRefused:
			said = append(said, fmt.Sprintf("%d left", refused.Left))
		case isLocked:
			said = append(said, t.lockedFor(locked))
		default:
			return "", err
		}
	}
	return strings.Join(said, ", "), nil
}
