// Package guard calls code that is not of this library: notifiers, owners of messages, recorders. A panic in such code becomes
// an error, and a notifier that does not return is left behind.
package guard

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
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

// A Recorder passes events on to another recorder. If that one panics, the event is lost, and the process goes on: a goroutine
// that has no caller would end it.
type Recorder struct {
	To civicpin.Recorder
}

// Record passes an event on.
func (r Recorder) Record(ctx context.Context, e civicpin.Event) {
	_ = Call(func() error {
		r.To.Record(ctx, e)
		return nil
	})
}
