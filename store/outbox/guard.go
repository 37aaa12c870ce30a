package outbox

import (
	"errors"
	"fmt"
)

var errPanic = errors.New("panicked")

// guard turns a panic of f, which is somebody else's code, into an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return f()
}
