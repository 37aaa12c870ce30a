package outbox

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// The reserves: how many messages a caller may ask for who has shown something, whatever strangers have asked for. Each kind of
// proof has a reserve of its own, so that one that was stolen does not use up another.
var reserves = map[shown.Kind]civicpin.Rate{
	shown.Facts:  {Limit: 3, Window: 24 * time.Hour}, // asked after the open limit: facts are weak
	shown.Device: {Limit: 5, Window: 24 * time.Hour}, // each device
	shown.Run:    {Limit: 5, Window: time.Hour},
	shown.Login:  {Limit: 5, Window: time.Hour},
}

// counters are what the limits of an outbox count with: they are one for all services.
type counters struct {
	source, typed, staff *quota.Quota
	reserves             map[shown.Kind]*quota.Quota
}

func newCounters(v *store.Vault, l *Limits) (c counters, err error) {
	var errs [3]error
	c.source, errs[0] = quota.New(v, "sends-source", l.Source, quota.Source)
	c.typed, errs[1] = quota.New(v, "sends-typed", l.SourceTyped, quota.Source)
	c.staff, errs[2] = quota.New(v, "sends-staff", l.Staff, quota.Operator)
	err = errors.Join(errs[:]...)
	c.reserves = make(map[shown.Kind]*quota.Quota)
	for kind, rate := range reserves {
		q, errKind := quota.New(v, "sends-shown-"+kind.String(), rate, quota.Subject)
		c.reserves[kind], err = q, errors.Join(err, errKind)
	}
	return c, err
}

// A Limit counts the messages that visitors ask for, by subject. An owner makes one with [Outbox.Limit] and names it in each
// [Request]. It is safe for concurrent use, also over several processes.
type Limit struct {
	o       *Outbox
	typed   bool
	subject *quota.Quota
}

// Limit returns a limit: so many messages of a class may be asked for a subject. Limits of one name over one vault count
// together. A visitor is also counted by source address, over all limits of the outbox: see [Limits].Source. An operator is
// counted by [Limits].Staff instead, and a caller with a valid [civicpin.Source].Shown by a reserve: 5 messages an hour after
// a login, 5 in 24 hours from each known device.
//
// The name is 1 to 52 ASCII letters, digits and "-_.". Errors:
//   - [civicpin.ErrInvalid]: the name or the rate is invalid, or the rate is zero. Or the class is Proved, and the rates of
//     that class registered so far add up to more than [Limits].Proved: the messages for one subject alone would be held.
func (o *Outbox) Limit(name string, class Class, rate civicpin.Rate) (*Limit, error) {
	if !names.Valid(name, 52) {
		return nil, fmt.Errorf("outbox: %w: a limit needs a name of 1 to 52 ASCII letters, digits, hyphens, underscores and dots",
			civicpin.ErrInvalid)
	}
	q, err := quota.New(o.vault, "sends."+name, rate, quota.Subject)
	if err != nil {
		return nil, err
	}
	if class == Proved {
		if err := o.fits(name, rate); err != nil {
			return nil, err
		}
	}
	return &Limit{o: o, typed: class == Typed, subject: q}, nil
}

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
	if limit > most.Limit || perSecond > float64(most.Limit)/most.Window.Seconds()*(1+1e-9) {
		return fmt.Errorf(
			"outbox: %w: subjects may ask for more messages than one address gets: raise Options.Limits.Proved to at least %d in %s",
			civicpin.ErrInvalid, max(limit, int(perSecond*most.Window.Seconds()+1)), most.Window)
	}
	o.proved[name] = rate
	return nil
}

// Take counts a request's messages, all or none, as [Outbox.Announce] does, and queues nothing: for what leads to messages
// later. Neither the work nor the answer depends on whether the subject exists. Errors:
//   - a *[lockout.LockedError]: a limit refused; it says when there is room for all of them.
//   - the store's: some may have been counted.
func (l *Limit) Take(ctx context.Context, r Request) error {
	c, n := &l.o.counters, len(r.Refs)+r.Others
	if r.By.IsOperator() {
		_, err := c.staff.Take(ctx, store.Key{ID: string(r.By)}, n)
		return locked(lockout.ScopeSource, err)
	}
	has := shown.Open(l.o.vault, r.Subject, r.Source.Shown)
	if has.Kind > shown.Facts {
		return l.reserve(ctx, &r, has, n)
	}
	err := l.open(ctx, &r, n)
	if _, full := errors.AsType[*lockout.LockedError](err); full && has.Kind == shown.Facts {
		return l.reserve(ctx, &r, has, n)
	}
	return err
}

// reserve counts messages against what the caller has shown.
func (l *Limit) reserve(ctx context.Context, r *Request, has shown.Value, n int) error {
	key := store.Key{Subject: r.Subject}
	if has.ID != "" {
		h := l.o.vault.Hash("outbox.reserve", has.ID)
		key.ID = hex.EncodeToString(h[:16])
	}
	_, err := l.o.counters.reserves[has.Kind].Take(ctx, key, n)
	return locked(lockout.ScopeSends, err)
}

// open counts messages that any visitor may ask for. What was taken goes back if another count refuses, or the requests that
// were refused would eat up the limit of those that share the source.
func (l *Limit) open(ctx context.Context, r *Request, n int) error {
	type step struct {
		of    *quota.Quota
		key   store.Key
		scope lockout.Scope
	}
	var steps []step
	if r.Source.Address != "" {
		key := quota.SourceKey(r.Source.Address)
		steps = append(steps, step{l.o.counters.source, key, lockout.ScopeSource})
		if l.typed {
			steps = append(steps, step{l.o.counters.typed, key, lockout.ScopeSource})
		}
	}
	steps = append(steps, step{l.subject, store.Key{Subject: r.Subject}, lockout.ScopeSends})
	var done []quota.Taken
	for i, s := range steps {
		t, err := s.of.Take(ctx, s.key, n)
		if err != nil {
			for k := range done {
				steps[k].of.Refund(ctx, done[k])
			}
			return locked(steps[i].scope, err)
		}
		done = append(done, t)
	}
	return nil
}

// locked returns the error of a quota as the caller's.
func locked(scope lockout.Scope, err error) error {
	if full, ok := errors.AsType[*quota.FullError](err); ok {
		return &lockout.LockedError{Scope: scope, Until: full.Until}
	}
	return err
}
