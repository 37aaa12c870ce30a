package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
)

// A visit is somebody on the pages of a plan. What a browser would hold of it is the ticket, in a cookie.
type visit struct {
	*citizen
	ticket civicpin.Secret
	recovery.Run
}

// visit opens the first page of a plan: is this a person, or a program?
func (t *tale) visit(ctx context.Context, plan string, c *citizen) (v *visit, err error) {
	err = t.ask("[ ] I am not a robot", []string{"x"}, func(typed string) error {
		if typed != "x" {
			return notTicked
		}
		v, err = t.begin(ctx, plan, c)
		return err
	})
	return v, err
}

const notTicked = refusal("Tick the box with an x, please.")

// begin begins a plan for somebody who has been told from a program, which is the portal's own business.
func (t *tale) begin(ctx context.Context, plan string, c *citizen) (*visit, error) {
	run, err := t.rec.Start(ctx, plan, c.subject, c.source)
	if err != nil {
		return nil, err
	}
	v := &visit{citizen: c, ticket: run.Ticket, Run: run}
	return v, t.answer(ctx, v, recovery.Answers{Captcha: true})
}

// answer is what a page does with a form that was filled in. What is to be sent is sent.
func (t *tale) answer(ctx context.Context, v *visit, a recovery.Answers) error {
	a.Source = v.source
	run, err := t.rec.Answer(ctx, v.ticket, a)
	if err != nil {
		return err
	}
	v.Run = run
	return t.Deliver(ctx)
}

// whoYouAre is the page that asks for what only they should know, all on one form. It suggests one of the answers after the
// other, until they are right. The error is a *[lockout.LockedError] after the last try.
func (t *tale) whoYouAre(ctx context.Context, v *visit, suggestions ...answers) error {
	for i := range play.Answers {
		a, err := t.typeAnswers(v.Next, suggestions[min(i, len(suggestions)-1)])
		if err != nil {
			return err
		}
		err = t.answer(ctx, v, a)
		if _, locked := errors.AsType[*lockout.LockedError](err); err == nil || locked || !t.refuses(err) {
			return err
		}
	}
	return play.ErrAnswers
}

// typeAnswers fills the form in.
func (t *tale) typeAnswers(ask recovery.Ask, mind answers) (a recovery.Answers, err error) {
	err = t.ask("Birthday (day/month)", []string{mind.birthday}, func(typed string) (err error) {
		a.Facts, err = readBirthday(typed)
		return err
	})
	if err == nil && len(ask.Images) > 0 {
		a.Image, err = t.typeImage(ask.Images, mind.image)
	}
	if err == nil && len(ask.Questions) > 0 {
		a.Questions, err = t.typeQuestions(ask.Questions, mind.questions)
	}
	return a, err
}

func (t *tale) typeImage(shown []string, suggestion string) (image string, err error) {
	err = t.ask(fmt.Sprintf("Image (one of %d)", len(shown)), []string{suggestion}, func(typed string) error {
		if image = typed; !slices.Contains(shown, image) {
			return refusal("One of these, please: " + strings.Join(shown, ", ") + ".")
		}
		return nil
	})
	return image, err
}

func (t *tale) typeQuestions(ids []string, suggestions map[string]string) (map[string]civicpin.Secret, error) {
	typed := make(map[string]civicpin.Secret)
	for _, q := range ids {
		answer, err := t.Ask(questions[q], suggestions[q])
		if err != nil {
			return nil, err
		}
		typed[q] = civicpin.NewSecret(answer)
	}
	return typed, nil
}

const noEmail = refusal("This is no e-mail address.")

// whereTo is the page that shows where the link goes, for it to be confirmed, or another address given.
func (t *tale) whereTo(ctx context.Context, v *visit, suggestions ...string) error {
	t.says("The link goes to %s. Right? Or to which address?", v.Next.Confirm.Masked)
	return t.ask("yes, or another address", suggestions, func(typed string) error {
		if typed == "yes" {
			return t.answer(ctx, v, recovery.Answers{Confirm: true})
		}
		to := t.contact(strings.ToLower(typed))
		if to.Validate() != nil {
			return noEmail
		}
		if err := t.answer(ctx, v, recovery.Answers{Correct: to}); err != nil {
			return err
		}
		v.email = to.Address
		return nil
	})
}

// news finds the newest e-mail at an address whose link is still for something, as Look names it, and prints a line about it.
func (t *tale) news(ctx context.Context, who, address, what string) (link civicpin.Secret, err error) {
	mails, err := t.Inbox.All(address)
	if err != nil {
		return link, err
	}
	for _, m := range slices.Backward(mails) {
		link = civicpin.NewSecret(m.Link())
		if look, err := t.rec.Look(ctx, link); err == nil && look.What == what {
			t.Say("%s reads (%s): %s", who, m.File, m.Subject)
			return link, nil
		}
	}
	return civicpin.Secret{}, fmt.Errorf("no link to %s at %s", what, address)
}
