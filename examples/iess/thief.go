package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// thief is an attacker who knows all of Lucía's answers, and gives an address of their own. She is told, and repudiates that.
func (t *tale) thief(ctx context.Context) error {
	thief := &citizen{name: "The thief", subject: t.lucia.subject, source: stranger, mind: t.lucia.mind}
	v, err := t.elsewhere(ctx, thief, "nobody.special@example.com")
	if err != nil {
		return err
	}
	t.rests(v)
	link, err := t.news(ctx, "Lucía", t.lucia.email, recovery.ToRepudiate)
	if err != nil {
		return err
	}
	if err := t.notMe(ctx, link); err != nil {
		return err
	}
	if err := t.Later(3*day + plan.NoticeTime); err != nil {
		return err
	}
	_, err = t.rec.Send(ctx, v.ticket, v.source)
	t.Say("The thief comes for the link:")
	t.Refuses(err)
	if err := play.Wanted(err, recovery.ErrGone, "a recovery that was stopped"); err != nil {
		return err
	}
	return t.newImage(ctx)
}

// newImage is a page behind the login, on which Lucía chooses another image. Questions could be answered anew there as well.
func (t *tale) newImage(ctx context.Context) error {
	ok, err := t.signIn(ctx, t.lucia)
	if err != nil {
		return err
	}
	source := t.lucia.source
	source.Shown = ok.Shown // of her session
	image, err := t.typeImage(images, "orchid")
	if err != nil {
		return err
	}
	t.lucia.mind.image = image
	return t.rec.EnrolAnswers(ctx, t.lucia.subject, image, nil, source)
}

// rests is what the page says while a run rests. The reader at the old address is told at once, and can repudiate it.
func (t *tale) rests(v *visit) {
	t.Says("We have told the address that we know. If nobody objects, go on here on %s.", t.Local(v.Next.WaitsUntil))
}

const notMeant = refusal("Then there is nothing to do here. In this story, say yes.")

// notMe follows a link to repudiate a run. The page inspects it, as it does every link; the button makes it count, once.
func (t *tale) notMe(ctx context.Context, link civicpin.Secret) error {
	if _, err := t.rec.Inspect(ctx, link); err != nil {
		return err
	}
	reader := civicpin.Source{Address: "192.0.2.77"}
	err := t.ask("It was not me", []string{"yes"}, func(typed string) error {
		if typed != "yes" {
			return notMeant
		}
		return t.rec.Repudiate(ctx, link, reader)
	})
	if err != nil {
		return err
	}
	t.Says("We have stopped it.")
	return play.Wanted(t.rec.Repudiate(ctx, link, reader), recovery.ErrGone, "the same link again")
}
