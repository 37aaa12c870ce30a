package pin_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// A program without voice calls and push: New would refuse the channels that no notifier serves.
func ExampleDefault() {
	p := pin.Default()
	delete(p.Valid, civicpin.Voice)
	delete(p.Valid, civicpin.Push)
	fmt.Println(slices.Sorted(maps.Keys(p.Valid)), p.Validate())
	// Output:
	// [certified-email email handed-over letter sms] <nil>
}
