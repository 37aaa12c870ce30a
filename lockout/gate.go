package lockout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
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

// A Key says whose guess it is and where it came from.
type Key struct {
	// Subject is who is guessed at. It need not exist.
	Subject civicpin.Subject
	// Lane keeps counts apart for ways in that must not lock each other; empty is the open lane. At most 64 printable
	// bytes, and never of the visitor's choosing: each lane has its own limit, and its own ceiling. Lanes that lead to one
	// credential add up, so for known devices leave it empty and use Policy.Devices.
	Lane string
	// Source is where the guess comes from; limits by source apply if its Address is not empty. Its Device, a value that
	// [Gate.Remember] made for the subject, opens that device's lane in place of the open one; anything else opens nothing.
	Source civicpin.Source
}

func (k Key) validate() error {
	if err := k.Subject.Validate(); err != nil {
		return err
	}
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(k.Lane) > 64 || !utf8.ValidString(k.Lane) || strings.ContainsFunc(k.Lane, unprintable) {
		return fmt.Errorf("%w: lane is not at most 64 printable bytes", civicpin.ErrInvalid)
	}
	return nil
}

// A Gate lets guesses through, so many and no more. Make one with [New]. It is safe for concurrent use, and any number of
// gates of one name, in any number of processes, over one store count together.
type Gate struct {
	vault    *store.Vault
	policy   Policy
	subjects store.Kind[state]
	devices  store.Kind[devices]
	source   *quota.Quota
	global   *quota.Quota
}

// New returns a gate. It gives an error that matches [ErrPolicy] if the policy is not valid.
func New(v *store.Vault, p Policy) (*Gate, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.withDefaults()
	g := &Gate{vault: v, policy: p}
	var err error
	if g.subjects, err = store.NewKind[state](v, "lockout."+p.Name); err != nil {
		return nil, err
	}
	if g.devices, err = store.NewKind[devices](v, "devices."+p.Name); err != nil {
		return nil, err
	}
	if p.Source != (civicpin.Rate{}) {
		if g.source, err = quota.New(v, "source."+p.Name, p.Source, quota.Source); err != nil {
			return nil, err
		}
	}
	if p.Global != (civicpin.Rate{}) {
		if g.global, err = quota.New(v, "global."+p.Name, p.Global, quota.Global); err != nil {
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
// Without calling verify, Do returns a *[LockedError], [ErrBusy], an error that matches [civicpin.ErrInvalid] for a key that
// cannot be, or the store's error: the guess may then have been counted, but was not compared.
//
// Do makes three store calls: get and put before, put after; one while locked. A source limit adds two, and a third if it
// is given back; a global limit one, and two more after a failure. Guesses that meet on one record add a few. A known
// device's lane takes the same calls, one more if it is locked or the device not known any more, and one more for the
// failure that locks it; a value that is not genuine, or somebody else's, takes none.
func (g *Gate) Do(ctx context.Context, key Key, verify func(context.Context) (bool, error)) error {
	if err := key.validate(); err != nil {
		return err
	}
	var shard store.Key // of the global rate
	if g.global != nil {
		var err error
		if shard, err = g.global.CheckShard(ctx); err != nil {
			return full(ScopeGlobal, err)
		}
	}
	var fromSource *quota.Taken
	if g.source != nil && key.Source.Address != "" {
		e, err := g.source.Take(ctx, quota.SourceKey(key.Source.Address), 1)
		if err != nil {
			return full(ScopeSource, err)
		}
		fromSource = &e
	}
	t, known, err := g.enter(ctx, key)
	if err != nil {
		return err
	}

	returned := false
	defer func() {
		if !returned { // verify panicked or ended its goroutine, perhaps after a comparison
			_ = g.leave(ctx, key, t, counted)
			g.charge(ctx, shard)
		}
	}()
	verifyCtx, cancel := context.WithTimeout(withDevice(ctx, known), g.policy.Timeout)
	defer cancel()
	ok, verifyErr := verify(verifyCtx)
	returned = true
	outcome := counted
	switch {
	case errors.Is(verifyErr, ErrNoSubject):
		outcome = countedStranger
	case verifyErr != nil:
		outcome = refunded
	case ok:
		outcome = succeeded
	}
	err = g.leave(ctx, key, t, outcome)
	if fromSource != nil && (outcome == succeeded && err == nil || outcome == refunded) {
		g.source.Refund(ctx, *fromSource)
	}
	switch {
	case outcome == counted || outcome == countedStranger:
		g.charge(ctx, shard)
	case outcome == refunded && err == nil:
		err = verifyErr
	case outcome == refunded:
		err = errors.Join(verifyErr, err)
	}
	return err
}

// charge counts a failure towards the global limit, if there is one.
func (g *Gate) charge(ctx context.Context, shard store.Key) {
	if g.global != nil {
		g.global.ChargeShard(ctx, shard)
	}
}

// outcome is how an attempt ended.
type outcome int

const (
	counted         outcome = iota // compared and wrong
	countedStranger                // the same, of a subject that does not exist
	refunded                       // not compared
	succeeded                      // compared and right
)

// taken is a reserved attempt: its id, the epoch at which it was taken, and the record as it was then written.
type taken struct {
	id     string
	epoch  uint64
	entry  store.Entry[state]
	device *takenDevice // if it was taken in a known device's lane; there is no entry then
}

// take reserves an attempt in the subject's record. A locked subject costs one read and no write.
func (g *Gate) take(ctx context.Context, key Key) (taken, error) {
	t := taken{id: rand.Text()}
	p := g.lane(key)
	var refused error
	var event civicpin.EventCode
	e, err := g.subjects.Update(ctx, g.storeKey(key), func(e *store.Entry[state]) error {
		now := g.vault.Now()
		before := e.Value
		swept := e.Value.sweep(p, now)
		event = news(before, e.Value)
		refused = e.Value.take(p, now, t.id)
		if refused != nil && !swept {
			return store.ErrSkip
		}
		switch {
		case !e.Found() || before.empty() || swept && !e.Expires.IsZero():
			e.Expires = g.forgetAt(e.Value, now) // until the outcome says that the subject exists
		case !e.Expires.IsZero():
			// The record must not end under the guess that it holds, or the guess would never be counted.
			e.Expires = later(e.Expires, now.Add(keepEmpty))
		}
		return nil
	})
	if err != nil {
		return taken{}, err
	}
	g.record(ctx, key, event)
	if refused != nil {
		return taken{}, refused
	}
	t.entry, t.epoch = e, e.Value.Epoch
	return t, nil
}

// settle stores how an attempt ended and returns what Do returns. It goes on when ctx has been cancelled, since a visitor
// who hangs up must not escape the count. It first tries to write over the record as take left it, which nobody else
// has touched as a rule.
func (g *Gate) settle(ctx context.Context, key Key, t taken, o outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	var result error
	var event civicpin.EventCode
	change := func(e *store.Entry[state]) error {
		now := g.vault.Now()
		before := e.Value
		result = e.Value.settle(g.lane(key), now, t, o)
		event = news(before, e.Value)
		switch {
		case e.Value.empty():
			e.Expires = now.Add(keepEmpty)
		case o == countedStranger:
			e.Expires = g.forgetAt(e.Value, now)
		case o == refunded: // taught nothing about the subject
			if !e.Expires.IsZero() && e.Value.Total != before.Total {
				e.Expires = g.forgetAt(e.Value, now)
			}
		default:
			e.Expires = time.Time{}
		}
		return nil
	}
	if _, err := g.subjects.UpdateFrom(ctx, t.entry, change); err != nil {
		return fmt.Errorf("lockout: settle: %w", err)
	}
	g.record(ctx, key, event)
	return result
}

// Policy returns the policy with its defaults filled in.
func (g *Gate) Policy() Policy { return g.policy }

// forgetAt is when the record of a subject may go that is not known to exist: Forget after the last thing that it says.
func (g *Gate) forgetAt(s state, now time.Time) time.Time {
	return later(now, s.Until, s.NotBefore).Add(g.policy.Forget)
}

// lane is the policy that holds for a key's lane.
func (g *Gate) lane(key Key) Policy {
	if key.Lane == "" {
		return g.policy.openLane()
	}
	return g.policy
}

func (g *Gate) storeKey(key Key) store.Key { return store.Key{Subject: key.Subject, ID: key.Lane} }

// news is the lock that was set between two states, empty if none was.
func news(before, after state) civicpin.EventCode {
	switch {
	case after.Epoch == before.Epoch:
		return ""
	case after.Disabled && !before.Disabled:
		return EventDisabled
	}
	return EventLocked
}

// record writes the event of a lock, if there is one.
func (g *Gate) record(ctx context.Context, key Key, code civicpin.EventCode) {
	if code != "" {
		g.vault.Record(ctx, civicpin.Event{Code: code, Subject: key.Subject, Source: key.Source, Reason: key.Lane})
	}
}

// later returns the latest of the times.
func later(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}
