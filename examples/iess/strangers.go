package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/civicpin/civicpin"
)

// strangers has a visitor try the pages with an unknown cédula. The pages show decoys.
func (t *tale) strangers(ctx context.Context) error {
	t.Step("A cédula that is nobody's walks through the same doors")
	nobody := &citizen{name: "Nobody", subject: civicpin.Subject(t.people.nobody()), source: stranger}
	before, err := t.posted()
	if err != nil {
		return err
	}
	shown, err := t.doors(ctx, nobody)
	if err != nil {
		return err
	}
	again, err := t.doors(ctx, nobody)
	if err != nil {
		return err
	}
	if again != shown {
		return errors.New("the pages differ from one visit to the next: " + shown + ", " + again)
	}
	t.Show("What the pages show for it, and show again the next time:", shown)
	after, err := t.posted()
	if err == nil && after != before {
		err = errors.New("something was sent")
	}
	if err != nil {
		return err
	}
	t.Say("Nothing was sent.")
	return nil
}

// doors returns what the pages of the plans show before anything is proved.
func (t *tale) doors(ctx context.Context, c *citizen) (string, error) {
	form, err := t.begin(ctx, forgotten, c)
	if err != nil {
		return "", err
	}
	sent, err := t.begin(ctx, byLink, c)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Images: %s\n%s\nWe have written to %s.",
		strings.Join(form.Next.Images, ", "), questions[form.Next.Questions[0]], sent.Next.Sent.Masked), nil
}

// posted counts the messages that were delivered.
func (t *tale) posted() (int, error) {
	files, err := os.ReadDir(string(t.Inbox))
	return len(files), err
}

// decoys are what the masked addresses of people are made of who have none: in the likeness of the real ones.
func decoys(lang string) []civicpin.Contact {
	var made []civicpin.Contact
	for _, address := range []string{
		"ana@example.ec", "jose@example.ec", "maria@example.com", "luis@example.ec", "carmen@correo.example", "pablo@example.com",
	} {
		made = append(made, civicpin.Contact{Channel: civicpin.Email, Address: address, Locale: lang + "-EC"})
	}
	return made
}
