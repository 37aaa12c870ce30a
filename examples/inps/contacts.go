package main

import (
	"context"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
)

// The others in the story. Their codici fiscali may not be typed as Maria's.
const (
	luigiCF = "BNCLGU58H22F205C"
	annaCF  = "VRDNNA72C41L219D"
)

// register is the page on which Maria says who she is and how she can be reached. All that is checked here is the agency's
// own business: the library is given a subject and contacts that are fit to be used.
func (t *tale) register(ctx context.Context) error {
	t.Step("Maria registers her contacts")
	err := t.ask("Her codice fiscale", []string{"RSSMRA85T50A562X", "rssmra85t50 a562w"}, func(typed string) error {
		c, err := newCitizen("Maria Rossi", typed, t.Clock.Now())
		if err != nil {
			return err
		}
		if slices.Contains([]string{luigiCF, annaCF}, string(c.cf)) {
			return refusal("This is the codice fiscale of somebody else in this story.")
		}
		t.maria = c
		return nil
	})
	if err != nil {
		return err
	}
	suggestions := []string{
		"333 12345", "333 123 4567", "maria.rossi@example.it, pec maria.rossi@example.it",
		"333 123 4567, maria.rossi@example.it, pec cittadino maria.rossi@cec.example",
	}
	err = t.ask("Her contacts", suggestions, func(typed string) (err error) {
		t.maria.contacts, err = readContacts(typed, t.Lang)
		return err
	})
	if err != nil {
		return err
	}
	var shown []string
	for _, c := range t.maria.contacts {
		shown = append(shown, channelName(c.Channel)+" "+masked(c))
	}
	t.Says("Thank you, %s. We shall write to: %s.", t.maria.cf, strings.Join(shown, ", "))
	return t.twoToOne(ctx)
}

// twoToOne forgets those checks: the library does not send two halves to one place.
func (t *tale) twoToOne(ctx context.Context) error {
	_, err := t.pins.Issue(ctx, t.maria.subject(), pin.IssueOptions{By: civicpin.Citizen, Parts: []civicpin.Contact{
		{Channel: civicpin.Email, Address: "maria.rossi@example.it"},
		{Channel: civicpin.CertifiedEmail, Address: "Maria.Rossi@example.it"},
	}})
	t.Say("(A page that forgot to check would be told: %v.)", err)
	return play.Wanted(err, pin.ErrWrongParts, "two halves to one address")
}
