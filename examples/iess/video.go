package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// video is an unlock by an operator who asks four questions, and sees no answer that is on file. Calls are taken from eight to
// five.
func (t *tale) video(ctx context.Context) error {
	t.Step("A video call: four questions, within office hours")
	if err := t.lockUp(ctx, t.lucia); err != nil {
		return err
	}
	if err := t.until(19); err != nil {
		return err
	}
	t.Say("Lucía calls.")
	_, err := t.rec.StartBy(ctx, byVideo, t.lucia.subject, operator)
	t.Refuses(err)
	if err := play.Wanted(err, recovery.ErrNotAllowed, "a call in the evening"); err != nil {
		return err
	}
	if err := t.until(8); err != nil {
		return err
	}
	_, err = t.rec.StartBy(ctx, byVideo, t.lucia.subject, checker)
	if err := play.Wanted(err, recovery.ErrNotAllowed, "a call taken by somebody else"); err != nil {
		return err
	}
	run, err := t.rec.StartBy(ctx, byVideo, t.lucia.subject, operator)
	if err != nil {
		return err
	}
	if err := t.interview(ctx, run.ID, t.lucia.mind.wrong(), t.lucia.mind); err != nil {
		return err
	}
	t.Say("The operator says that the key is unlocked.")
	return errors.Join(t.Deliver(ctx), t.login(ctx, t.lucia))
}

// interview is the operator's page. What the citizen says is typed there, and compared by the library.
func (t *tale) interview(ctx context.Context, id string, suggestions ...memory) error {
	for i := range play.Answers {
		c, err := t.rec.ShowCase(ctx, id, operator)
		if err != nil {
			return err
		}
		verdict := recovery.Verdict{
			Approve: true, Reason: "face and cédula seen", Questions: make(map[string]civicpin.Secret), Source: operators,
		}
		for _, q := range c.Questions {
			said, err := t.Ask(fmt.Sprintf("Operator: %s Lucía", questions[q]), suggestions[min(i, len(suggestions)-1)].questions[q])
			if err != nil {
				return err
			}
			verdict.Questions[q] = civicpin.NewSecret(said)
		}
		_, err = t.rec.Decide(ctx, id, operator, verdict)
		if err == nil || !errors.Is(err, recovery.ErrRefused) {
			return err
		}
		t.Refuses(err)
	}
	return play.ErrAnswers
}

// operators is where the staff sit.
var operators = civicpin.Source{Address: "198.51.100.7"}
