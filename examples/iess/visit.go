package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

// A visit is a citizen on the pages of a plan. A browser would hold its ticket, in a cookie.
type visit struct {
	*citizen
	ticket civicpin.Secret
	recovery.Run
}

// visit opens the first page of a plan: is this a person, or a program?
func (t *tale) visit(ctx context.Context, name string, c *citizen) (v *visit, err error) {
	err = t.ask("[ ] I am not a robot", []string{"x"}, func(typed string) error {
		if typed != "x" {
			return notTicked
		}
		v, err = t.begin(ctx, name, c)
		return err
	})
	return v, err
}

const notTicked = refusal("Tick the box with an x, please.")

// known is a visit that comes as far as its citizen's own memories do.
func (t *tale) known(ctx context.Context, name string, c *citizen) (*visit, error) {
	v, err := t.visit(ctx, name, c)
	if err != nil {
		return nil, err
	}
	return v, t.whoYouAre(ctx, v, c.mind)
}

// begin begins a plan for a visitor who was told from a program, which is the portal's own business.
func (t *tale) begin(ctx context.Context, name string, c *citizen) (*visit, error) {
	run, err := t.rec.Start(ctx, name, c.subject, c.source)
	if err != nil {
		return nil, err
	}
	v := &visit{citizen: c, ticket: run.Ticket, Run: run}
	return v, t.submit(ctx, v, recovery.Answers{Captcha: true})
}

// submit is what a page does with a form that was filled in. What is to be sent is sent.
func (t *tale) submit(ctx context.Context, v *visit, a recovery.Answers) error {
	a.Source = v.source
	run, err := t.rec.Answer(ctx, v.ticket, a)
	if err != nil {
		return err
	}
	v.Run = run
	return t.Deliver(ctx)
}

// news finds the newest e-mail to an address with a link for a purpose, and prints a line about it.
func (t *tale) news(ctx context.Context, who, address string, what recovery.Purpose) (link civicpin.Secret, err error) {
	mails, err := t.Inbox.All(address)
	if err != nil {
		return link, err
	}
	for _, m := range slices.Backward(mails) {
		link = civicpin.NewSecret(m.Link())
		if look, err := t.rec.Inspect(ctx, link); err == nil && look.Purpose == what {
			t.Say("%s reads (%s): %s", who, m.File, m.Subject)
			return link, nil
		}
	}
	return civicpin.Secret{}, fmt.Errorf("no link to %s at %s", what, address)
}
