package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// first is Lucía's way to her first key: who she is, where she reads, and then, by the link in the e-mail, what she will be
// asked some day, the terms and a password.
func (t *tale) first(ctx context.Context) error {
	t.Step("Lucía's first key")
	if err := t.anew(ctx, t.lucia); err != nil {
		return err
	}
	if err := t.typeCedula("1710034066", "171003406-5"); err != nil {
		return err
	}
	v, err := t.visit(ctx, firstKey, t.lucia)
	if err != nil {
		return err
	}
	slip := t.lucia.mind
	slip.birthday = "15/3"
	if err := t.whoYouAre(ctx, v, slip, t.lucia.mind); err != nil {
		return err
	}
	if err := t.correct(ctx, v, "lucia.andrade", v.email); err != nil {
		return err
	}
	m, err := t.Read("Lucía", v.email)
	if err != nil {
		return err
	}
	if v.Run, err = t.rec.Redeem(ctx, civicpin.NewSecret(m.Link()), v.source); err != nil {
		return err
	}
	// An attacker may have begun: with the link comes a new ticket, and the old one is worth nothing.
	v.ticket = v.Run.Ticket
	if err := t.enrol(ctx, v); err != nil {
		return err
	}
	if err := t.accept(ctx, v); err != nil {
		return err
	}
	grant, err := t.rec.Finish(ctx, v.ticket, v.source)
	if err != nil {
		return err
	}
	return t.choose(ctx, t.lucia, grant, "iess2026", "lucía andrade vera", "tres volcanes y un colibrí")
}

const somebodyElse = refusal("That is somebody else. Lucía's is 171003406-5.")

// typeCedula is the field with which every page of the portal begins. A person without a cédula goes to an agency: counter.go.
func (t *tale) typeCedula(suggestions ...string) error {
	return play.AskID(t.Page, "Her cédula", suggestions, ident.ParseCedula, luciaID, somebodyElse)
}

// enrol is the page on which she chooses an image, and what she will answer to questions.
func (t *tale) enrol(ctx context.Context, v *visit) error {
	t.Says("Choose an image: %s.", strings.Join(images, ", "))
	image, err := t.typeImage(images, v.mind.image)
	if err != nil {
		return err
	}
	asked := sorted(v.mind.questions)[:v.Next.Enrol.Questions]
	same := make(map[string]string) // one answer to everything is easy to remember
	for _, q := range asked {
		same[q] = v.mind.questions[asked[0]]
	}
	for i := range play.Answers {
		suggestions := v.mind.questions
		if i == 0 {
			suggestions = same
		}
		typed, err := t.typeQuestions(asked, suggestions)
		if err != nil {
			return err
		}
		err = t.submit(ctx, v, recovery.Answers{EnrolImage: image, EnrolQuestions: typed})
		if err == nil {
			v.mind.image = image
			for q, a := range typed {
				v.mind.questions[q] = a.Reveal() // she remembers
			}
			return nil
		}
		if !t.Refuses(err) {
			return err
		}
	}
	return play.ErrAnswers
}

// sorted returns the questions in an order that stays.
func sorted(answers map[string]string) []string {
	var ids []string
	for id := range answers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

const notAccepted = refusal("Without them there is no key.")

// accept is the page with the terms.
func (t *tale) accept(ctx context.Context, v *visit) error {
	version := v.Next.Terms
	return t.ask(fmt.Sprintf("I accept the terms of %s", version), []string{"yes"}, func(typed string) error {
		if typed != "yes" {
			return notAccepted
		}
		return t.submit(ctx, v, recovery.Answers{Terms: version})
	})
}
