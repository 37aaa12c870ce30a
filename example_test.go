package civicpin_test

import (
	"encoding/json"
	"fmt"

	"github.com/civicpin/civicpin"
)

// A secret is read where it is used. Everything that prints or encodes it gets a mark instead.
func ExampleSecret() {
	pin := civicpin.NewSecret("K7QM-2XPD")
	fmt.Println("for the log:", pin)
	body, err := json.Marshal(map[string]any{"pin": pin})
	fmt.Println("for a debugging page:", string(body), err)
	fmt.Println("for the letter:", pin.Reveal())
	// Output:
	// for the log: [redacted]
	// for a debugging page: {"pin":"[redacted]"} <nil>
	// for the letter: K7QM-2XPD
}
