// Nothing passes nil.
package main

import (
	"context"

	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
)

func main() {
	var pins *pin.Service
	var contacts *contact.Service
	_, _ = pins.Complete(context.Background(), nil)
	_ = contacts.Recovered(context.Background(), nil)
}
