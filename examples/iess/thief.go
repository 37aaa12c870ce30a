package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// thief is somebody who knows all of Lucía's answers, and gives an address of their own. She is told, and ends it.
func (t *tale) thief(ctx context.Context) error {
	t.Step("Somebody knows her answers, and gives another address")
	if err := t.Later(day); err != nil {
		return err
	}
	thief := &citizen{name: "The thief", subject: t.lucia.subject, source: stranger, mind: t.lucia.mind}
	v, err := t.visit(ctx, forgotten, thief)
	if err != nil {
		return err
	}
	if err := t.whoYouAre(ctx, v, thief.mind); err != nil {
		return err
	}
	if err := t.whereTo(ctx, v, "nobody.special@example.com"); err != nil {
		return err
	}
	t.says("We have told the address that we know. If nobody objects, the link comes on %s.", t.local(v.Next.Waits))
	m, err := t.Read("Lucía", t.lucia.email)
	if err != nil {
		return err
	}
	if err := t.notMe(ctx, m.Link()); err != nil {
		return err
	}
	_, err = t.rec.Send(ctx, v.ticket, v.source)
	t.Say("Three days later the thief looks for the link:")
	t.refuses(err)
	return play.Wanted(err, recovery.ErrGone, "a recovery that was stopped")
}

// notMe follows a link that says "it was not me". Like every link it is looked at first; the button makes it count, once.
func (t *tale) notMe(ctx context.Context, token string) error {
	link, source := civicpin.NewSecret(token), t.lucia.source
	look, err := t.rec.Look(ctx, link)
	if err != nil {
		return err
	}
	err = t.ask("It was not me ("+look.What+")", []string{"yes"}, func(typed string) error {
		if typed != "yes" {
			return notMeant
		}
		return t.rec.Disown(ctx, link, source)
	})
	if err != nil {
		return err
	}
	t.says("We have stopped it.")
	return play.Wanted(t.rec.Disown(ctx, link, source), recovery.ErrGone, "the same link again")
}

const notMeant = refusal("Then there is nothing to do here. In this story, say yes.")
