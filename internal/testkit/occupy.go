package testkit

import (
	"context"

	"github.com/civicpin/civicpin/internal/password"
)

// Occupy takes n places in front of the hashing until the returned function is called.
func Occupy(gate *password.Gate, n int) (release func()) {
	var leaves []func()
	for range n {
		leave, err := gate.Enter(context.Background())
		if err != nil {
			panic(err)
		}
		leaves = append(leaves, leave)
	}
	return func() {
		for _, leave := range leaves {
			leave()
		}
	}
}
