package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
)

// blocked is what three misses come to: only an agency unlocks.
func (t *tale) blocked(ctx context.Context) error {
	var said string
	err := t.ask("Lucía's answer, whatever is asked", []string{"I do not know"}, func(typed string) (err error) {
		said, err = t.misses(ctx, t.lucia, typed)
		return err
	})
	if err != nil {
		return err
	}
	t.Say("She types it again and again: %s.", said)
	t.Say("Then she remembers, but the page no longer looks at it:")
	v, err := t.begin(ctx, forgotten, t.lucia)
	if err != nil {
		return err
	}
	err = t.whoYouAre(ctx, v, t.lucia.mind)
	if err := untilUnlocked(err, "a right answer after the third miss"); err != nil {
		return err
	}
	t.Says("Three misses, and so it is locked. Come to an agency with your cédula.")
	return t.atAgency(ctx)
}

// atAgency lifts the lock, which is an act of a role that may: recovery.Role.Unlocks.
func (t *tale) atAgency(ctx context.Context) error {
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "cédula " + string(luciaID), By: clerk.ID}
	t.Say("She calls, but a video operator cannot help with this:")
	err := t.rec.Unlock(ctx, forgotten, t.lucia.subject, seen, operator)
	t.Refuses(err)
	if err := play.Wanted(err, recovery.ErrNotAllowed, "an unlock by a video operator"); err != nil {
		return err
	}
	t.Say("At an agency she shows her cédula, and the clerk can.")
	if err := t.rec.Unlock(ctx, forgotten, t.lucia.subject, seen, clerk); err != nil {
		return err
	}
	v, err := t.known(ctx, forgotten, t.lucia)
	if err != nil {
		return err
	}
	t.Say("By now the password has come back to her, too. She leaves the page.")
	if err := t.rec.Cancel(ctx, v.ticket); err != nil {
		return err
	}
	return t.login(ctx, t.lucia)
}

const right = refusal("Right. (In this story she does not remember it yet. Another answer, please.)")

// misses types one answer to whatever is asked until that locks, and returns what the page said each time.
func (t *tale) misses(ctx context.Context, c *citizen, answer string) (string, error) {
	var said []string
	for {
		v, err := t.begin(ctx, forgotten, c)
		if err != nil {
			return "", err
		}
		a := recovery.Answers{Image: c.mind.image, Questions: make(map[string]civicpin.Secret)}
		if a.Facts, err = readBirthday(c.mind.birthday); err != nil {
			return "", err
		}
		for _, q := range v.Next.Questions {
			a.Questions[q] = civicpin.NewSecret(answer)
		}
		err = t.submit(ctx, v, a)
		refused, isRefused := errors.AsType[*lockout.RefusedError](err)
		switch {
		case err == nil:
			return "", right
		case isRefused:
			said = append(said, fmt.Sprintf("%d left", refused.Left))
		default:
			return strings.Join(append(said, "locked"), ", "), untilUnlocked(err, "the third miss")
		}
	}
}
