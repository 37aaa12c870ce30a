package soak

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// forgotten is the way to a new PIN: a link by e-mail, and then another choice.
var forgotten = plan.Plan{
	Name:    "soak",
	Steps:   []plan.Step{plan.Captcha{}, plan.Link{Channel: civicpin.Email, Valid: 3 * time.Minute}},
	Limit:   lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked},
	Outcome: plan.ChooseSecret,
}

// recover lets a citizen who has a PIN say that they have forgotten it, open the link that comes, and choose another.
func (w *crowd) recover(ctx context.Context, i int, p *person) {
	run, err := w.ways.Start(ctx, forgotten.Name, subject(i), source(i))
	if err != nil {
		w.answer(ctx, "recovery begun", true, err)
		return
	}
	mail := w.mail.wait(email(i).Address, recovery.LinkMessage)
	defer mail.forget()
	if _, err = w.ways.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true, Source: source(i)}); err != nil {
		w.answer(ctx, "recovery begun", true, err)
		return
	}
	w.Count("recovery begun: begun")
	link, ok := w.read(ctx, mail)
	if !ok {
		return
	}
	_, err = w.ways.Inspect(ctx, link)
	w.told("recovery: link looked at", err, ctx)
	grant, err := w.ways.Finish(ctx, link, source(i))
	if err != nil {
		w.answer(ctx, "recovery", true, err)
		return
	}
	before := p.draw
	p.draw += 2
	err = p.choose(i, func(chosen civicpin.Secret) error {
		for {
			// The grant stays good while others are at their hashes.
			if _, err := w.pins.Set(ctx, grant, chosen, civicpin.Source{}); !errors.Is(err, pin.ErrBusy) || !pause(ctx) {
				return err
			}
		}
	})
	if err != nil {
		p.draw = before
	}
	w.answer(ctx, "recovery", true, err)
}

// pause waits a little, and reports whether to go on.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(50 * time.Millisecond):
		return true
	}
}
