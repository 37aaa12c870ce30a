// Package guess lets several processes guess at one secret through package lockout at the same time, over one store, and
// counts how many of their guesses are compared: never more than the limit, whatever is killed meanwhile.
//
// A test package calls [Child] from a test of its own named TestGuesser, which is what the processes run.
package guess

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// Limit is how many wrong guesses lock.
const Limit = 5

// A verdict is what a guesser's verification does.
type verdict string

const (
	wrong verdict = "wrong"
	right verdict = "right"
	hang  verdict = "hang" // until the process is killed
)

// A job is what a process does: so many guesses of a kind at a subject's secret.
type job struct {
	Where   string // what the test package's open understands
	Subject civicpin.Subject
	Verdict verdict
	Times   int
	Offset  time.Duration // how far the vault's clock is ahead
	Patient bool          // whether it guesses again when it is told to try later
}

// Open returns a store, from what a test says of where it is. One that is an io.Closer is closed in the end.
type Open func(ctx context.Context, where string) (store.Store, error)

// openGate returns a gate that every process of these tests has in common.
func openGate(s store.Store, offset time.Duration) (*lockout.Gate, error) {
	vault, err := store.OpenVault(context.Background(), s, testkit.Keys(), &store.Options{
		Now: func() time.Time { return time.Now().Add(offset) }, Adopt: true, // some of the stores cannot list
	})
	if err != nil {
		return nil, err
	}
	return lockout.New(vault, "login", lockout.Policy{Limit: Limit, Lock: lockout.UntilUnlocked})
}

// withGate opens a store and a gate over it, and closes the store if it can be.
func withGate(ctx context.Context, open Open, where string, offset time.Duration, do func(*lockout.Gate) error) error {
	s, err := open(ctx, where)
	if err != nil {
		return err
	}
	if c, ok := s.(io.Closer); ok {
		defer func() { _ = c.Close() }()
	}
	gate, err := openGate(s, offset)
	if err != nil {
		return err
	}
	return do(gate)
}

// Child does a job if this is a process that was started for one, and otherwise skips the test. It says "compared" from within
// each verification, and the outcome of each guess.
func Child(t *testing.T, open Open) {
	processes.Serve(t, func(ctx context.Context, c *processes.Child, j job) error {
		return withGate(ctx, open, j.Where, j.Offset, func(gate *lockout.Gate) error {
			c.Race(j.Times, func() (string, error) { return j.guess(ctx, gate, c), nil })
			return nil
		})
	})
}

// guess guesses once and returns the outcome.
func (j job) guess(ctx context.Context, gate *lockout.Gate, c *processes.Child) string {
	for {
		err := gate.Do(ctx, lockout.Target{Subject: j.Subject}, func(context.Context) (bool, error) {
			c.Say("compared")
			switch j.Verdict {
			case hang:
				select {}
			case right:
				return true, nil
			}
			time.Sleep(5 * time.Millisecond)
			return false, nil
		})
		_, locked := errors.AsType[*lockout.LockedError](err)
		switch {
		case err == nil:
			return "let in"
		case locked:
			return "locked"
		case errors.Is(err, lockout.ErrRefused):
			return "refused"
		case errors.Is(err, lockout.ErrBusy) && j.Patient:
			time.Sleep(time.Millisecond)
		case errors.Is(err, lockout.ErrBusy):
			return "busy"
		default:
			time.Sleep(20 * time.Millisecond) // or all guesses would be over before the store is back
			c.Say("failed: ", err)
			return "failed"
		}
	}
}
