package main

import (
	"context"
	"time"

	"github.com/civicpin/civicpin/lockout"
)

const (
	// atOnce is how many forms the portal handles at the same time. Each writes a few records, and so does the audit log; SQLite
	// writes one after the other. With a thousand forms at once, a write waited behind a thousand others: guesses ran out of time
	// after they were counted, and events did not reach the audit log in time.
	atOnce = 16
	// patience is how long another form waits for its turn.
	patience = 2 * time.Second
)

// turns are the forms that are handled now.
type turns chan struct{}

// enter waits for a turn, in order. If none comes in time it refuses as the library does on a busy machine: with 503 and
// Retry-After. The library has then counted nothing, read nothing and recorded no event.
func (t turns) enter(ctx context.Context) (leave func(), err error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-timer.C:
		return nil, &lockout.BusyError{After: patience}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
