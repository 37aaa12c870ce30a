package outbox

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/sends"
)

// A Limit counts the messages that visitors ask for, by subject. An owner makes one with [Outbox.Limit] and names it in each
// [Request]. It is safe for concurrent use, also over several processes.
type Limit struct {
	of       *Outbox
	messages *sends.Limit
	typed    bool // of class Typed
}

// Limit returns a limit: so many messages of a class may be asked for a subject. Limits of one name over one vault count
// together. A visitor is also counted by source address, over all limits of the outbox: see [Limits].Source. An operator is
// counted by [Limits].Operator instead. A caller with a valid [civicpin.Source].Shown is counted against a reserve first: 5
// messages in 6 hours after a login, 5 in 24 hours from each known device. When the reserve is used up, the caller is counted
// as any visitor.
//
// The name is 1 to 52 ASCII letters, digits and "-_.". Errors:
//   - [civicpin.ErrInvalid]: the name, the class or the rate is invalid, or the rate is zero. Or the class is Proved, and the
//     rates of that class registered so far add up to more than [Limits].Proved: the messages for one subject alone would be
//     held.
func (o *Outbox) Limit(name string, class Class, rate civicpin.Rate) (*Limit, error) {
	if class < Typed || class > Notice {
		return nil, fmt.Errorf("outbox: %w: no such class", civicpin.ErrInvalid)
	}
	if !names.Valid(name, 52) {
		return nil, fmt.Errorf("outbox: %w: a limit needs a name of 1 to 52 ASCII letters, digits, hyphens, underscores and dots",
			civicpin.ErrInvalid)
	}
	l, err := o.sends.Limit(name, rate, class == Typed)
	if err != nil {
		return nil, err
	}
	if class == Proved {
		if err := o.fits(name, rate); err != nil {
			return nil, err
		}
	}
	return &Limit{of: o, messages: l, typed: class == Typed}, nil
}

// Typed returns the limit for calls whose messages may also go to addresses that visitors typed, where that depends on the
// subject: it counts by [Limits].SourceTyped, too, and together with l.
func (l *Limit) Typed() *Limit { return &Limit{of: l.of, messages: l.messages.Typed(), typed: true} }

// fits adds a rate of class Proved to those registered, if all of them together stay within the rate of one address.
func (o *Outbox) fits(name string, rate civicpin.Rate) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit, perSecond := rate.Limit, float64(rate.Limit)/rate.Window.Seconds()
	for other, r := range o.proved {
		if other != name {
			limit, perSecond = limit+r.Limit, perSecond+float64(r.Limit)/r.Window.Seconds()
		}
	}
	most := o.opts.Limits.Proved
	inWindow := int(math.Ceil(perSecond*most.Window.Seconds() - 1e-6))
	if limit > most.Limit || inWindow > most.Limit {
		need := max(limit, inWindow)
		return fmt.Errorf("outbox: %w: limit %q (%d in %s) together with %q lets a subject ask for %d messages in %s, "+
			"and one address gets %d: lower a rate, or raise Options.Limits.Proved to %d in %s",
			civicpin.ErrInvalid, name, rate.Limit, rate.Window, slices.Sorted(maps.Keys(o.proved)), need, most.Window,
			most.Limit, need, most.Window)
	}
	o.proved[name] = rate
	return nil
}

// Take counts a request's messages, all or none, as [Outbox.Announce] does, and queues nothing: for what leads to messages
// later. Neither the work nor the answer depends on whether the subject exists. Errors:
//   - [civicpin.ErrInvalid]: the subject, By or Source is invalid.
//   - a *[lockout.LockedError]: a limit refused; it says when there is room for all of them.
//   - the store's: some may have been counted.
func (l *Limit) Take(ctx context.Context, r Request) error {
	if err := r.valid(); err != nil {
		return err
	}
	_, err := r.take(ctx, l)
	return err
}
