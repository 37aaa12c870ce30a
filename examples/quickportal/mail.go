package main

import (
	"context"
	"fmt"
	"io"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// mail is the notifier: the library's words, over the one channel that this portal has. Put your provider where it prints; the
// id is the same for each try, so that the provider sends a mail once.
func mail(address string, paper io.Writer) civicpin.Notifier {
	words := must(texts.New(texts.Service{Name: "Quick", LongName: "Quick portal", Page: address + "/link"}))
	return civicpin.ByChannel{civicpin.Email: words.Notifier(
		func(_ context.Context, id string, to civicpin.Contact, t texts.Text) (receipt string, err error) {
			_, err = fmt.Fprintf(paper, "\nMail to %s: %s\n\n%s\n", to.Address, t.Subject, t.Body.Reveal())
			return id, err
		},
	)}
}
