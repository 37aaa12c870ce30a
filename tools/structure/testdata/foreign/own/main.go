// Own passes a type of its own that has the same fields.
package main

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
)

type completed struct {
	Subject    civicpin.Subject
	Plan, Run  string
	Epoch      uint64
	Creates    bool
	Unlock     bool
	Parts      []civicpin.Contact
	Valid      time.Duration
	Source     civicpin.Source
	By         civicpin.Actor
	Change     string
	Corrected  civicpin.Contact
	Undo       time.Time
	Repudiated bool
}

func main() {
	var pins *pin.Service
	var contacts *contact.Service
	_, _ = pins.Complete(context.Background(), completed{})
	_ = contacts.Recovered(context.Background(), completed{})
}
