// Shape passes a value of a type without a name that has the same fields: assignable, were they all exported.
package main

import (
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
)

var shape struct {
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
	Seen       bool
	Finished   time.Time
}

func main() {
	var pins *pin.Service
	var contacts *contact.Service
	_, _ = pins.Complete(context.Background(), shape)
	_ = contacts.Recovered(context.Background(), shape)
}
