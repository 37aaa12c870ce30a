package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// strangerSource is where those come from who are not the people in this story.
var strangerSource = civicpin.Source{Address: "203.0.113.66"}

// strangers has a visitor try the page "I forgot my password" with the numbers of others. The page says the same for a
// citizen with one contact only and for an unknown number.
func (t *tale) strangers(ctx context.Context) error {
	t.Step("Others at the same page")
	if err := t.Later(day); err != nil { // what she mistyped yesterday is forgiven
		return err
	}
	hers, err := t.guessDates(ctx, t.nuria.subject())
	if err != nil {
		return err
	}
	nobodys, err := t.guessDates(ctx, nobody())
	if err != nil {
		return err
	}
	t.Say("A stranger guesses birth dates.")
	t.Say("At Nuria's number:      %s", hers)
	t.Say("At one that nobody has: %s", nobodys)
	if hers != nobodys {
		return errors.New("the stranger sees a difference")
	}
	return t.oneContact(ctx)
}

// guessDates guesses until it locks.
func (t *tale) guessDates(ctx context.Context, subject civicpin.Subject) (string, error) {
	ticket, err := t.begin(ctx, subject, strangerSource)
	if err != nil {
		return "", err
	}
	year := 1979
	return t.untilLocked(func() error {
		year++
		_, err := t.answerDate(ctx, ticket, fmt.Sprintf("%d-05-23", year), strangerSource)
		return err
	})
}

// oneContact: Omar has no telephone with us, and so no second code. The page cannot say so, since it does not know who he is.
func (t *tale) oneContact(ctx context.Context) error {
	t.Say("Omar's date is right. But he gave one contact only, which is not enough:")
	ticket, err := t.begin(ctx, t.omar.subject(), t.omar.source)
	if err != nil {
		return err
	}
	_, err = t.answerDate(ctx, ticket, t.omar.born, t.omar.source)
	t.Refuses(err)
	t.Says("If it is right, we have no telephone or no e-mail of yours that is confirmed. Come to an office, please.")
	return play.Wanted(err, recovery.ErrRefused, "a recovery with one contact")
}

// nobody returns a DNI that is valid and, as far as this story goes, unknown.
func nobody() civicpin.Subject {
	for {
		// One in 23 has the right letter at its end.
		nif, err := ident.ParseNIF(fmt.Sprintf("77%06d%c", rand.IntN(1_000_000), "TRWAGMYFPDXBNJZSQVHLCKE"[rand.IntN(23)]))
		if err == nil {
			return civicpin.Subject(nif)
		}
	}
}
