package lockout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/blind"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/store"
)

const (
	// settleTime is how long after a verification's timeout its outcome may still be stored.
	settleTime = 15 * time.Second
	// keepEmpty is how long an empty record is kept: a lost answer to a write can be told later, one to a deletion cannot.
	keepEmpty = time.Hour
)

// A Target says which subject a guess is at, and where it comes from.
type Target struct {
	// Subject is the subject of the guess. It need not exist.
	Subject civicpin.Subject
	// Lane keeps the counts of different ways in apart, so that they do not lock each other. Empty is the open lane. At most
	// 64 printable bytes, chosen by the program and never by the visitor: each lane has its own limit and its own ceiling.
	// Lanes that lead to one credential add up: for known devices leave it empty and use Policy.Devices.
	Lane string
	// Source is where the guess comes from. Policy.Source applies if its Address is not empty, and its Challenged raises the
	// limits. Its Device, if it is a value that [Gate.RememberDevice] made for the subject, opens that device's lane in place of
	// the open one. Any other value is ignored. So is its Shown, unless it opens a lane of Policy.Reserve.
	Source civicpin.Source
}

func (t Target) validate() error {
	if err := errors.Join(t.Subject.Validate(), t.Source.Validate()); err != nil {
		return err
	}
	if !names.Printable(t.Lane, 64) {
		return fmt.Errorf("%w: lane is not at most 64 printable bytes", civicpin.ErrInvalid)
	}
	return nil
}

// A Gate lets a limited number of guesses through. Make one with [New]. It is safe for concurrent use, and any number of gates
// of one name, in any number of processes, over one store count together.
type Gate struct {
	vault    *store.Vault
	name     string
	policy   Policy
	subjects store.Kind[state]
	devices  store.Kind[devices]
	sources  store.Kind[sourceRecord]
	global   *quota.Quota
}

// New returns the gate of a name, which says what is guessed, "login": gates of one name over one vault share their counts. The
// name is stored: 1 to 50 ASCII letters, digits and "-_.". The gates of the library's services begin with "pin.", "code.",
// "totp.", "hotp.", "backup.", "contact." and "recovery.". Errors:
//   - [civicpin.ErrInvalid]: the name is invalid.
//   - [ErrInvalidPolicy]: the policy is invalid.
func New(v *store.Vault, name string, p Policy) (*Gate, error) {
	if !names.Valid(name, 50) {
		return nil, fmt.Errorf("lockout: %w: the name is not 1 to 50 of ASCII letters, digits, period, - and _", civicpin.ErrInvalid)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.withDefaults()
	g := &Gate{vault: v, name: name, policy: p}
	var err error
	if g.subjects, err = store.NewKind[state](v, "lockout."+name); err != nil {
		return nil, err
	}
	if g.devices, err = store.NewKind[devices](v, "devices."+name); err != nil {
		return nil, err
	}
	if g.sources, err = store.NewKind[sourceRecord](v, "quota.sources."+name); err != nil {
		return nil, err
	}
	if p.Global != (civicpin.Rate{}) {
		if g.global, err = quota.New(v, "global."+name, p.Global, quota.Global); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Do reserves a guess, calls verify, and settles the outcome. It is the only way to a comparison: verify runs after the guess
// was counted in the store. So of any number of concurrent guesses, over any number of processes, no more are compared than may
// fail. For what a call costs see docs/costs.md.
//
// What verify returns decides:
//   - true: the guess was right. Do gives it back and resets the count towards the ceiling. If a lock was set meanwhile, the
//     lock stays, and Do returns it.
//   - false: the guess was wrong, and stays counted.
//   - an error that matches [ErrNoSubject]: as false.
//   - any other error: nothing was compared. Do gives the guess back and returns the error. Never return one after a comparison
//     that failed.
//
// If verify panics or ends its goroutine, the guess stays counted and the panic goes on. The context of verify ends after
// Policy.Timeout. The outcome is stored even if ctx was cancelled.
//
// Errors after a comparison:
//   - a *[RefusedError]: the guess was wrong. It matches [ErrRefused].
//   - a *[LockedError]: the guess was wrong and locked, or a lock was set meanwhile. It matches [ErrLocked].
//   - [ErrTimeout]: the guess was right and came too late.
//   - the store's: the outcome could not be stored, and the guess stays counted.
//
// Errors without a comparison:
//   - a *[LockedError]: the subject is locked, or a rate is exceeded. It matches [ErrChallenge] if the same guess would be let
//     in with a challenge passed.
//   - a *[RefusedError]: every guess is refused as wrong ([Status].Hidden).
//   - [ErrInFlight]: as many guesses at the subject are in flight as may still fail. It matches [ErrBusy].
//   - [civicpin.ErrInvalid]: the target is invalid.
//   - the store's: the guess may have been counted.
func (g *Gate) Do(ctx context.Context, target Target, verify func(context.Context) (bool, error)) error {
	if err := target.validate(); err != nil {
		return err
	}
	taken, known, err := g.enter(ctx, target)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned { // verify panicked or ended its goroutine, perhaps after a comparison
			_ = taken.settle(ctx, counted)
		}
	}()
	verifyCtx, cancel := context.WithTimeout(withDevice(ctx, known), g.policy.Timeout)
	defer cancel()
	right, verifyErr := g.run(verifyCtx, taken, verify)
	returned = true
	o := outcomeOf(right, verifyErr)
	err = taken.settle(ctx, o)
	switch {
	case o != refunded:
		return err
	case err == nil:
		return verifyErr
	}
	return errors.Join(verifyErr, err)
}

// run has a guess verified. One that is not to be compared is wrong: it is verified blind, for the work, where that may be.
func (g *Gate) run(ctx context.Context, taken guess, verify func(context.Context) (bool, error)) (right bool, err error) {
	if !taken.blind() {
		return verify(blind.Clear(ctx))
	}
	if blind.Allowed(ctx) {
		_, err = verify(blind.Set(ctx))
	}
	return false, err
}

// outcomeOf returns what a verify function's results mean.
func outcomeOf(right bool, err error) outcome {
	switch {
	case errors.Is(err, ErrNoSubject):
		return countedStranger
	case err != nil:
		return refunded
	case right:
		return succeeded
	}
	return counted
}

// Policy returns the policy with its defaults filled in.
func (g *Gate) Policy() Policy { return g.policy }
