package lockout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
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

// The events of this package. A gate records locks and what ends them; the single guesses are recorded by whoever asked for
// them, who knows what they meant. Reason is the lane, "device" for a known device's: Ref then tells devices apart.
const (
	EventLocked   civicpin.EventCode = "lockout.locked"   // the limit was reached, or an operator locked
	EventDisabled civicpin.EventCode = "lockout.disabled" // the ceiling was reached
	EventUnlocked civicpin.EventCode = "lockout.unlocked"
	EventRebound  civicpin.EventCode = "lockout.rebound"
	EventSlowed   civicpin.EventCode = quota.EventSlowed // a source or everybody is over the rate

	EventDeviceRemembered civicpin.EventCode = "lockout.device_remembered"
	EventDevicesForgotten civicpin.EventCode = "lockout.devices_forgotten"
)

// A Target says whose guess it is and where it came from.
type Target struct {
	// Subject is who is guessed at. It need not exist.
	Subject civicpin.Subject
	// Lane keeps counts apart for ways in that must not lock each other; empty is the open lane. At most 64 printable
	// bytes, and never of the visitor's choosing: each lane has its own limit, and its own ceiling. Lanes that lead to one
	// credential add up, so for known devices leave it empty and use Policy.Devices.
	Lane string
	// Source is where the guess comes from; limits by source apply if its Address is not empty. Its Device, a value that
	// [Gate.RememberDevice] made for the subject, opens that device's lane in place of the open one; anything else opens nothing.
	Source civicpin.Source
}

func (t Target) validate() error {
	if err := t.Subject.Validate(); err != nil {
		return err
	}
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(t.Lane) > 64 || !utf8.ValidString(t.Lane) || strings.ContainsFunc(t.Lane, unprintable) {
		return fmt.Errorf("%w: lane is not at most 64 printable bytes", civicpin.ErrInvalid)
	}
	return nil
}

// A Gate lets guesses through, so many and no more. Make one with [New]. It is safe for concurrent use, and any number of
// gates of one name, in any number of processes, over one store count together.
type Gate struct {
	vault    *store.Vault
	name     string
	policy   Policy
	subjects store.Kind[state]
	devices  store.Kind[devices]
	source   *quota.Quota
	global   *quota.Quota
}

// New returns the gate of a name, which says what is guessed, "login": gates of one name over one vault share their counts. The
// name is stored: 1 to 50 ASCII letters, digits and "-_.". The gates of the library's services begin with "pin.", "code.",
// "totp.", "hotp.", "backup.", "contact." and "recovery.". Errors:
//   - [civicpin.ErrInvalid]: the name is invalid.
//   - [ErrPolicy]: the policy is invalid.
func New(v *store.Vault, name string, p Policy) (*Gate, error) {
	if !names.Valid(name, 50) {
		return nil, fmt.Errorf("lockout: %w: name is not 1 to 50 ASCII letters, digits and -_.", civicpin.ErrInvalid)
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
	if p.Source != (civicpin.Rate{}) {
		if g.source, err = quota.New(v, "source."+name, p.Source, quota.Source); err != nil {
			return nil, err
		}
	}
	if p.Global != (civicpin.Rate{}) {
		if g.global, err = quota.New(v, "global."+name, p.Global, quota.Global); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Do reserves a guess, calls verify, and settles the outcome. It is the only way to a comparison: verify runs only after
// the guess was counted in the store, so that of any number of concurrent guesses, over any number of processes, no more
// are compared than may fail.
//
// What verify returns decides:
//   - true: Do returns nil, the counts are reset and the guess is given back. If a lock was set meanwhile, it stays, and Do
//     returns it as a *[LockedError].
//   - false: the guess stays counted. Do returns a *[RefusedError], or the *[LockedError] that it brought about.
//   - an error that matches [ErrNoSubject]: as false.
//   - any other error means that nothing was compared: the guess is given back and Do returns the error. Never return one
//     after a comparison that failed.
//
// If verify panics or ends its goroutine, the guess stays counted and the panic goes on. verify's context ends after
// Policy.Timeout; the outcome is stored even if ctx was cancelled.
//
// Without calling verify, Do returns a *[LockedError], [ErrBusy], an error that matches [civicpin.ErrInvalid] for a target that
// cannot be, or the store's error: the guess may then have been counted, but was not compared.
//
// Do makes three store calls: get and put before, put after; one while locked. A source limit adds two, and a third if it
// is given back; a global limit one, and two more after a failure. Guesses that meet on one record add a few. A known
// device's lane takes the same calls, one more if it is locked or the device not known any more, and one more for the
// failure that locks it; a value that is not genuine, or somebody else's, takes none.
func (g *Gate) Do(ctx context.Context, target Target, verify func(context.Context) (bool, error)) error {
	if err := target.validate(); err != nil {
		return err
	}
	rates, err := g.rate(ctx, target)
	if err != nil {
		return err
	}
	taken, err := g.enter(ctx, target)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned { // verify panicked or ended its goroutine, perhaps after a comparison
			rates.settle(ctx, counted, taken.settle(ctx, counted))
		}
	}()
	verifyCtx, cancel := context.WithTimeout(ctx, g.policy.Timeout)
	defer cancel()
	right, verifyErr := verify(verifyCtx)
	returned = true
	o := outcomeOf(right, verifyErr)
	err = taken.settle(ctx, o)
	rates.settle(ctx, o, err)
	switch {
	case o != refunded:
		return err
	case err == nil:
		return verifyErr
	}
	return errors.Join(verifyErr, err)
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
