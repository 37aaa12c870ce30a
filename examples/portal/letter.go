package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// A claveLetter is the issue for which a letter was printed last.
type claveLetter struct {
	Issue string `json:"issue"`
}

// letterPage has an activation code printed and posted to where the register says that the citizen lives.
func (c *clave) letterPage(v *visit) (view, error) {
	return v.simple("clave.letter", how{"letter.go", "pin.Service.Issue (Register)"}, "go", v.idField()), nil
}

func (c *clave) letter(v *visit) (string, error) {
	subject, err := c.parse(v.typed("id"))
	if err != nil {
		return "", err
	}
	who := c.people[subject]
	known := who.street != ""
	if !known { // the same work, limits and answers for a number that the register lacks: only the letter is not printed
		who = person{name: "decoy", street: "Calle Mayor 1\n28013 Madrid"}
	}
	// In one language: the same citizen's letter goes to the same contact, whichever language the visitor reads.
	to := civicpin.Contact{Channel: civicpin.Letter, Address: who.name + "\n" + who.street, Locale: "es"}
	is, err := c.pins.Issue(v.ctx(), subject, pin.IssueOptions{
		Parts: []civicpin.Contact{to}, Register: true, By: civicpin.Citizen, Source: v.source(),
	})
	if err == nil {
		c.after(v, "letter", func(ctx context.Context) error { return c.printOnce(ctx, subject, known, is) })
	}
	v.flashed(err, "clave.letter.done")
	return "/clave/activate", err
}

// printOnce prints one letter for each issue: every visitor can ask for one, and each costs postage. One that got lost is issued
// anew at the counter.
func (c *clave) printOnce(ctx context.Context, subject civicpin.Subject, known bool, is pin.Issue) error {
	if is.Slip.IsZero() {
		return nil
	}
	first := false
	_, err := c.letters.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[claveLetter]) error {
		if first = e.Value.Issue != is.ID; !first {
			return store.ErrSkip
		}
		e.Value.Issue, e.ExpiresAt = is.ID, is.ExpiresAt
		return nil
	})
	if err != nil || !known || !first {
		return err
	}
	return c.print(ctx, is)
}
