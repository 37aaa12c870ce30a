package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// forgotten has Nuria lock herself out and get a new password: a page, a link by e-mail, a code by text message.
func (t *tale) forgotten(ctx context.Context) error {
	t.Step("A forgotten password: a link by e-mail, a code by SMS")
	tries, err := t.guessAll(ctx, t.nuria.subject(), "la mesa roja canta")
	if err != nil {
		return err
	}
	t.Say("It was something with a table. Five tries: %s.", tries)
	old := t.nuria.password
	t.Say("\"I forgot my password\" works in spite of the lock. The first link comes while she is at lunch:")
	link, err := t.askLink(ctx, t.nuria, []string{"24-5-1979", typedDate(t.nuria.born)})
	if err != nil {
		return err
	}
	if err := t.late(ctx, link); err != nil {
		return err
	}
	if link, err = t.askLink(ctx, t.nuria, []string{typedDate(t.nuria.born)}); err != nil {
		return err
	}
	if err := t.scanners(ctx, link); err != nil {
		return err
	}
	grant, err := t.follow(ctx, t.nuria, link)
	if err != nil {
		return err
	}
	err = t.choose(t.nuria, []string{old, nuriasThird}, func(chosen civicpin.Secret) error {
		_, err := t.pins.Set(ctx, grant, chosen, t.nuria.source, t.nuria.personal()...)
		return err
	})
	if err != nil {
		return err
	}
	if err := t.told(ctx, t.nuria.email, t.nuria.mobile); err != nil {
		return err
	}
	t.Say("The old password, the link once more, and then the new password, at the level that she had:")
	if err := t.refused(ctx, t.nuria, old); err != nil {
		return err
	}
	_, err = t.rec.Redeem(ctx, link, t.nuria.source)
	t.Refuses(err)
	if err := play.Wanted(err, recovery.ErrGone, "a link that was used"); err != nil {
		return err
	}
	return t.enter(ctx, t.nuria, sedess)
}

// askLink is the page "I forgot my password", and returns the token of the link that comes.
func (t *tale) askLink(ctx context.Context, c *citizen, dates []string) (civicpin.Secret, error) {
	run, err := t.begin(ctx, c.subject(), c.source)
	if err != nil {
		return civicpin.Secret{}, err
	}
	var next recovery.Run
	err = t.ask(c.first()+"'s birth date", dates, func(typed string) error {
		born, err := readDate(typed)
		if err == nil {
			next, err = t.answerDate(ctx, run, born, c.source)
		}
		return err
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	t.Says("A link is on its way to %s. It is good for 30 minutes, and once.", next.Next.Sent.Masked)
	m, err := t.linked(ctx, c.email, recovery.ToRecover)
	if err != nil {
		return civicpin.Secret{}, err
	}
	t.Say("%s has it: %s (%s).", c.first(), m.Subject, m.File)
	return civicpin.NewSecret(m.Link()), nil
}

// linked is the newest message to an address with a link for a purpose.
func (t *tale) linked(ctx context.Context, address string, what recovery.Purpose) (post.Mail, error) {
	all, err := t.Inbox.All(address)
	if err != nil {
		return post.Mail{}, err
	}
	for _, m := range slices.Backward(all) {
		look, err := t.rec.Inspect(ctx, civicpin.NewSecret(m.Link()))
		if err == nil && look.Purpose == what {
			return m, nil
		}
	}
	return post.Mail{}, errors.New("no link has come")
}

// begin begins the plan for a forgotten password, as a person and no machine.
func (t *tale) begin(
	ctx context.Context, subject civicpin.Subject, source civicpin.Source,
) (ticket civicpin.Secret, err error) {
	err = t.Patiently(func() error {
		run, err := t.rec.Start(ctx, planForgotten.Name, subject, source)
		ticket = run.Ticket
		return err
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	_, err = t.rec.Answer(ctx, ticket, recovery.Answers{Captcha: true, Source: source})
	return ticket, err
}

// answerDate answers the question for the birth date, and has the link sent.
func (t *tale) answerDate(
	ctx context.Context, ticket civicpin.Secret, born string, source civicpin.Source,
) (recovery.Run, error) {
	run, err := t.rec.Answer(ctx, ticket, recovery.Answers{Facts: map[string]string{birthDate: born}, Source: source})
	if err != nil {
		return run, err
	}
	return run, t.Deliver(ctx)
}

// late uses a link a second after its time.
func (t *tale) late(ctx context.Context, link civicpin.Secret) error {
	look, err := t.rec.Inspect(ctx, link)
	if err != nil {
		return err
	}
	if err := t.Clock.Skip(look.ExpiresAt.Add(second).Sub(t.Clock.Now())); err != nil {
		return err
	}
	t.Say("… half an hour and a second later …")
	_, err = t.rec.Redeem(ctx, link, t.nuria.source)
	t.Refuses(err)
	return play.Wanted(err, recovery.ErrExpired, "a link after its time")
}

// scanners are programs that open every link in every mail, to see whether it is dangerous. A link that looking uses up
// would never reach its reader.
func (t *tale) scanners(ctx context.Context, link civicpin.Secret) error {
	var look recovery.LinkInfo
	for range 3 {
		var err error
		if look, err = t.rec.Inspect(ctx, link); err != nil {
			return err
		}
	}
	t.Say("Her provider's virus scanner opens it three times. It finds a page with a button, good until %s, and presses none.",
		t.Hour(look.ExpiresAt))
	return nil
}

// follow opens a link, presses the button, and types the code that then comes to the telephone.
func (t *tale) follow(ctx context.Context, c *citizen, link civicpin.Secret) (pin.Grant, error) {
	run, err := t.rec.Redeem(ctx, link, c.source)
	if err != nil {
		return pin.Grant{}, err
	}
	if err := t.Deliver(ctx); err != nil {
		return pin.Grant{}, err
	}
	t.Say("%s presses the button.", c.first())
	t.Says("Now the code that comes to %s.", run.Next.Sent.Masked)
	if _, err := t.Read(c.first(), c.mobile); err != nil {
		return pin.Grant{}, err
	}
	prove := func(typed string) error {
		_, err := t.rec.Answer(ctx, run.Ticket, recovery.Answers{Code: civicpin.NewSecret(typed), Source: c.source})
		return err
	}
	again := func() error {
		_, err := t.rec.Send(ctx, run.Ticket, c.source)
		return err
	}
	if err := t.typed(ctx, c.mobile, prove, again, slipped); err != nil {
		return pin.Grant{}, err
	}
	return t.rec.Finish(ctx, run.Ticket, c.source)
}

// slipped is a code with a slip of the hand at its end.
func slipped(m post.Mail) string {
	code := m.Code()
	last := "7"
	if strings.HasSuffix(code, last) {
		last = "4"
	}
	return code[:max(0, len(code)-1)] + last
}

// told delivers and prints the notices at addresses.
func (t *tale) told(ctx context.Context, addresses ...string) error {
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	for _, a := range addresses {
		m, err := t.Inbox.Last(a)
		if err != nil {
			return err
		}
		text, _, _ := strings.Cut(m.Text, "\n")
		if m.Subject != "" {
			text = m.Subject
		}
		t.Say("To %s: %s", a, text)
	}
	return nil
}

// guessAll types one wrong password until it locks, and returns what the page said each time.
func (t *tale) guessAll(ctx context.Context, subject civicpin.Subject, guess string) (string, error) {
	return t.untilLocked(func() error {
		_, err := t.pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(guess), Source: strangerSource})
		return err
	})
}

// untilLocked repeats what is refused until it is locked, and says how each try came out.
func (t *tale) untilLocked(try func() error) (string, error) {
	var said []string
	for range play.Answers {
		err := try()
		if refused, ok := errors.AsType[*lockout.RefusedError](err); ok {
			said = append(said, fmt.Sprintf("%d left", refused.Left))
			continue
		}
		locked, ok := errors.AsType[*lockout.LockedError](err)
		if !ok {
			return "", errors.Join(errors.New("a wrong guess was not refused"), err)
		}
		until := "until unlocked"
		if !locked.Until.IsZero() {
			until = fmt.Sprintf("for %.0f minutes", locked.Until.Sub(t.Clock.Now()).Minutes())
		}
		return strings.Join(append(said, "locked "+until), ", "), nil
	}
	return "", play.ErrAnswers
}
