// Package attempt is the guarded comparison: the one way from a secret that a visitor typed to the answer whether it is right.
// All packages that check secrets go it, with a [Guard]. In this order:
//
//  1. Admission: a place in the queue of the hashing, where something is hashed. A refusal counts nothing.
//  2. Reservation: the guess is counted in the store ([lockout.Gate.Do]).
//  3. Comparison: the caller's function reads what to compare with, and has this package compare. It returns a [Finding].
//  4. Settlement: a right guess is given back, any other one stays counted.
//  5. The event of a refusal, with its [Refusal].
//
// Only the comparisons of this package make a [Match] that is right, and a Finding is right only by such a Match. So nothing is
// let in that was not compared.
//
// # Refusals
//
// The constants of [Refusal] are all the words that these events have as their Reason: wrong, unknown, spent, cancelled,
// exhausted, suspended, revoked, vacant, unreadable, factor; expired, unused, locked, busy, not checked. Users find them
// explained in the documentation of package civicpin.
package attempt

import (
	"cmp"
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/blind"
	"github.com/civicpin/civicpin/internal/guard"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// A Guard lets guesses at the secrets of one service through. Make one with [New]. It is safe for concurrent use.
type Guard struct {
	vault   *store.Vault
	gate    *lockout.Gate
	hashing *password.Gate
	refused civicpin.EventCode
}

// New returns a guard in front of a gate. hashing is nil if no guess is hashed. refused is the code of the event of a refusal,
// empty if refusals are no event.
func New(v *store.Vault, gate *lockout.Gate, hashing *password.Gate, refused civicpin.EventCode) *Guard {
	return &Guard{vault: v, gate: gate, hashing: hashing, refused: refused}
}

// A Place is a place in front of the hashing of a guard. Until Leave it is good for any number of guesses and hashes, one after
// the other.
type Place struct {
	guard *Guard
	leave func()
}

// Enter takes a place, before anything is counted. It does not wait: if a hash would have to, for too long, it returns a
// *[lockout.BusyError]. Leave must be called. Events that are recorded under the context that Enter returns are passed on
// by Leave: a recorder that is slow must not keep others out.
func (g *Guard) Enter(ctx context.Context) (context.Context, Place, error) {
	if g.hashing == nil {
		ctx, release := guard.Hold(ctx)
		return ctx, Place{g, release}, nil
	}
	ctx, leave, err := Enter(ctx, g.hashing)
	return ctx, Place{g, leave}, err
}

// Leave gives the place back. A second call does nothing.
func (p Place) Leave() { p.leave() }

// Enter takes a place in front of the hashing for hashes that are no guess. It does not wait: if they would have to, for too
// long, it returns a *[lockout.BusyError]. What it says of events is as for [Guard.Enter].
func Enter(ctx context.Context, g *password.Gate) (_ context.Context, leave func(), err error) {
	back, err := g.Enter(ctx)
	if busy, ok := errors.AsType[*password.BusyError](err); ok {
		err = &lockout.BusyError{After: busy.After}
	}
	if err != nil {
		return ctx, nil, err
	}
	ctx, release := guard.Hold(ctx)
	return ctx, func() { back(); release() }, nil
}

// A Guess says what a guess is at. The other fields are for the event of its refusal. The function that compares may set them.
type Guess struct {
	Target  lockout.Target
	By      civicpin.Actor // an operator who typed what the subject said; empty for a visitor
	Address string         // where the guess came from, if Target.Source has no address
	Ref     string         // see [civicpin.Event]
	Level   civicpin.Level // see [civicpin.Event]
}

// A Finding is what a guess came to. The zero Finding is a wrong guess.
type Finding struct {
	right    bool
	stranger bool
	why      Refusal
}

// Found returns a finding. The guess was right if the match is right and the subject is known; otherwise why says why not. The
// failure of an unknown subject is forgotten after [lockout.Policy].Forget.
func Found(m Match, known bool, why Refusal) Finding {
	if m.right && known {
		return Finding{right: true}
	}
	return Finding{stranger: !known, why: why}
}

// Do enters, does what [Place.Do] does, and leaves.
func (g *Guard) Do(ctx context.Context, guess *Guess, compare func(context.Context) (Finding, error)) error {
	ctx, p, err := g.Enter(ctx)
	if err != nil {
		return err
	}
	defer p.Leave()
	return p.Do(ctx, guess, compare)
}

// Do reserves a guess, has compare read and compare, settles, and records a refusal, by Guess.By. It returns nil if
// the guess was right, and the errors of [lockout.Gate.Do].
//
// An error of compare says that nothing was compared, or that a right guess could not be used: the guess is given back, and Do
// returns the error. compare must not return one after a comparison that failed. With an error its finding is for the event
// alone: [Unused] if the guess was right, or [Expired]. compare does the same work for a known and an unknown subject. In a
// guess that a hidden lock refuses, it runs for the work, and nothing is right. If it panics, the guess stays counted, and no
// event is recorded. Nor is one of an invalid target.
func (p Place) Do(ctx context.Context, guess *Guess, compare func(context.Context) (Finding, error)) error {
	g := p.guard
	var found Finding
	valid := false
	err := g.gate.Do(blind.Allow(ctx), guess.counted(), func(ctx context.Context) (_ bool, err error) {
		valid = true
		if found, err = compare(ctx); err == nil && found.stranger {
			err = lockout.ErrNoSubject
		}
		if blind.Is(ctx) {
			found.why = Locked
		}
		return found.right, err
	})
	if err != nil && g.refused != "" && (valid || !errors.Is(err, civicpin.ErrInvalid)) {
		g.vault.Record(ctx, guess.refusal(g.refused, found.refusal(err)))
	}
	return err
}

// counted returns the target of a guess as the gate counts it. An operator is no visitor from an address: an office has one,
// and serves two hundred people from there in an hour. Nor is an operator a machine.
func (g *Guess) counted() lockout.Target {
	t := g.Target
	if g.By.IsOperator() {
		t.Source.Address, t.Source.Challenged = "", true
	}
	return t
}

// refusal returns the event of a refusal.
func (g *Guess) refusal(code civicpin.EventCode, why Refusal) civicpin.Event {
	source := g.Target.Source
	if source.Address == "" {
		source.Address = g.Address
	}
	return civicpin.Event{
		Code: code, Subject: g.Target.Subject, By: cmp.Or(g.By, civicpin.Visitor), Source: source, Ref: g.Ref, Level: g.Level,
		Reason: string(why),
	}
}
