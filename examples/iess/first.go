package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// first is Lucía's way to her first key: who she is, what she will be asked some day, where she reads, and then, by the link in
// the e-mail, the terms and a password.
func (t *tale) first(ctx context.Context) error {
	t.Step("Lucía's first key")
	known, err := t.anew(ctx, t.lucia)
	if err != nil {
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
	if err := t.enrol(ctx, v); err != nil {
		return err
	}
	address := []string{"lucia.andrade", v.email}
	if known {
		address = []string{"yes"}
	}
	if err := t.whereTo(ctx, v, address...); err != nil {
		return err
	}
	m, err := t.Read("Lucía", v.email)
	if err != nil {
		return err
	}
	if v.Run, err = t.rec.Use(ctx, civicpin.NewSecret(m.Link()), v.source); err != nil {
		return err
	}
	// Whoever began may have been somebody else: with the link comes a new ticket, and the old one is worth nothing.
	v.ticket = v.Run.Ticket
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

// typeCedula is the page on which every plan begins. The IESS asks a person who has no cédula to an agency: see counter.go.
func (t *tale) typeCedula(suggestions ...string) error {
	return t.ask("Her cédula", suggestions, func(typed string) error {
		id, err := ident.ParseCedula(typed)
		if err == nil && id != luciaID {
			err = somebodyElse
		}
		return err
	})
}

// enrol is the page on which she chooses an image, and what she will answer to questions.
func (t *tale) enrol(ctx context.Context, v *visit) error {
	t.says("Choose an image: %s.", strings.Join(images, ", "))
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
		err = t.answer(ctx, v, recovery.Answers{EnrolImage: image, EnrolQuestions: typed})
		if err == nil {
			v.mind.image = image
			for q, a := range typed {
				v.mind.questions[q] = a.Reveal() // she remembers
			}
			return nil
		}
		if !t.refuses(err) {
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
		return t.answer(ctx, v, recovery.Answers{Terms: version})
	})
}

const notAlike = refusal("The two are not alike.")

// choose is the page on which somebody chooses a password, typed twice, and then logs in with it.
func (t *tale) choose(ctx context.Context, c *citizen, grant pin.Grant, suggestions ...string) error {
	for i := range play.Answers {
		suggestion := suggestions[min(i, len(suggestions)-1)]
		once, err := t.Ask("New password", suggestion)
		if err != nil {
			return err
		}
		again, err := t.Ask("Once more", once)
		if err != nil {
			return err
		}
		chosen := civicpin.NewSecret(once)
		if chosen.Equal(civicpin.NewSecret(again)) {
			err = t.pins.Set(ctx, grant, chosen, c.personal()...)
		} else {
			err = notAlike
		}
		if err == nil {
			c.password = once
			return errors.Join(t.Deliver(ctx), t.login(ctx, c))
		}
		if !t.refuses(err) {
			return err
		}
	}
	return play.ErrAnswers
}

// login is the page behind which everything is.
func (t *tale) login(ctx context.Context, c *citizen) error {
	_, err := t.signIn(ctx, c)
	return err
}

func (t *tale) signIn(ctx context.Context, c *citizen) (ok pin.Verified, err error) {
	err = t.ask(c.name+"'s password", []string{c.password}, func(typed string) (err error) {
		if ok, err = t.pins.Verify(ctx, c.attempt(typed)); err != nil {
			return err
		}
		c.password = typed
		t.says("Welcome, %s. (Level of assurance: %s.)", c.name, ok.Level)
		return nil
	})
	return ok, err
}

// anew takes what earlier runs have left of somebody out of the way, as an agency does for who comes with their card. It reports
// whether they have an address that can be written to.
func (t *tale) anew(ctx context.Context, c *citizen) (known bool, err error) {
	st, err := t.pins.Status(ctx, c.subject)
	if errors.Is(err, pin.ErrNoCredential) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if st.State != "revoked" {
		t.Say("%s has a key from an earlier run, and no longer knows it. An agency, which has seen the card, ends it.", c.name)
		if err := t.pins.Revoke(ctx, c.subject, "forgotten", clerk.ID); err != nil {
			return false, err
		}
	}
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "cédula", By: clerk.ID}
	errs := []error{t.pins.Unlock(ctx, c.subject, clerk.ID)}
	for _, p := range plans() {
		errs = append(errs, t.rec.Unlock(ctx, p.Name, c.subject, seen, clerk))
	}
	// So many messages a day and no more, and an address that was just changed proves nothing for a week.
	errs = append(errs, t.Later(8*day))
	proved, _, err := t.rec.Contacts(ctx, c.subject)
	if len(proved) > 0 {
		known, c.email = true, proved[0].Address
	}
	return known, errors.Join(append(errs, err)...)
}
