// Package guard calls code that is not of this library: notifiers, owners of messages, recorders. A panic in such code becomes
// an error, and a notifier or recorder that does not return is left behind.
package guard

import (
	"errors"
	"fmt"
)

var errPanic = errors.New("panicked")

// Call calls f. It returns the error of f, or an error that holds the value of a panic in f.
func Call(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return f()
}
