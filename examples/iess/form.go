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

// whoYouAre is the page that asks for what only they should know, all on one form. It suggests one memory after the other,
// until it is right. The error is a *[lockout.LockedError] after the last try.
func (t *tale) whoYouAre(ctx context.Context, v *visit, suggestions ...memory) error {
	for i := range play.Answers {
		a, err := t.typeAnswers(v.Next, suggestions[min(i, len(suggestions)-1)])
		if err != nil {
			return err
		}
		err = t.submit(ctx, v, a)
		if _, locked := errors.AsType[*lockout.LockedError](err); err == nil || locked || !t.Refuses(err) {
			return err
		}
	}
	return play.ErrAnswers
}

// typeAnswers fills the form in.
func (t *tale) typeAnswers(ask recovery.Ask, mind memory) (a recovery.Answers, err error) {
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

const (
	noEmail = refusal("This is no e-mail address.")
	notYet  = refusal("(Another address comes later in this story. Say yes, please.)")
	notSame = refusal("(Another address, please, for this story.)")
)

// confirm is the page that shows where the link will go, to a citizen for whom that is right.
func (t *tale) confirm(ctx context.Context, v *visit) error {
	t.Says("The link goes to %s.", v.Next.Confirm.Masked)
	return t.ask("yes, or another address", []string{"yes"}, func(typed string) error {
		if typed != "yes" {
			return notYet
		}
		return t.submit(ctx, v, recovery.Answers{Confirm: true})
	})
}

// correct is the same page for a visitor who gives another address.
func (t *tale) correct(ctx context.Context, v *visit, suggestions ...string) error {
	t.Says("The link goes to %s.", v.Next.Confirm.Masked)
	return t.ask("yes, or another address", suggestions, func(typed string) error {
		to := t.contact(strings.ToLower(typed))
		switch {
		case typed == "yes":
			return notSame
		case to.Validate() != nil:
			return noEmail
		}
		if err := t.submit(ctx, v, recovery.Answers{Correct: to}); err != nil {
			return err
		}
		v.email = to.Address
		return nil
	})
}

// elsewhere goes through the pages for a visitor who gives another address. For a week after an objection no such recovery
// rests, and the visitor comes again when that is over.
func (t *tale) elsewhere(ctx context.Context, c *citizen, suggestions ...string) (*visit, error) {
	for range play.Answers {
		v, err := t.known(ctx, forgotten, c)
		if err != nil {
			return nil, err
		}
		err = t.correct(ctx, v, suggestions...)
		rests, ok := errors.AsType[*recovery.RestError](err)
		if !ok {
			return v, err
		}
		t.Says("Somebody has objected, or is at it. On line this goes on from %s; an agency helps at once.", t.Local(rests.Until))
		if err := t.PassUntil(rests.Until); err != nil {
			return nil, err
		}
	}
	return nil, play.ErrAnswers
}
