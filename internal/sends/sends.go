// Package sends counts the messages that are asked for, before any is written: by source address and subject, by member of
// staff, or by a reserve for a caller who has shown something.
package sends

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/store"
)

// The reserves: how many messages a caller may ask for who has shown something, whatever visitors have asked for. Each kind of
// proof has a reserve of its own, so that one that was stolen does not use up another.
var reserves = map[shown.Kind]civicpin.Rate{
	shown.Facts:  {Limit: 3, Window: 24 * time.Hour}, // asked after the open limit: facts are weak
	shown.Device: {Limit: 5, Window: 24 * time.Hour}, // each device
	shown.Run:    {Limit: 5, Window: 6 * time.Hour},
	shown.Login:  {Limit: 5, Window: 6 * time.Hour},
}

// Rates are the rates that all limits share.
type Rates struct {
	// Source is of one source address, and SourceTyped of those of its messages that go to typed addresses.
	Source, SourceTyped civicpin.Rate
	Operator            civicpin.Rate // of one operator
}

// Counters are what all limits count with. They are safe for concurrent use, also over several processes.
type Counters struct {
	vault    *store.Vault
	source   *quota.Quota // typed addresses are a part of it
	wide     *quota.Quota // the same of a /48 of IPv6
	staff    *quota.Quota
	reserves map[shown.Kind]*quota.Quota
}

// New returns the counters of a vault. The error matches [civicpin.ErrInvalid] if a rate is invalid or zero.
func New(v *store.Vault, r Rates) (*Counters, error) {
	c := &Counters{vault: v, reserves: make(map[shown.Kind]*quota.Quota)}
	var errs [3]error
	c.source, errs[0] = quota.NewPart(v, "sends-source", r.Source, r.SourceTyped, quota.Source)
	c.wide, errs[1] = quota.NewPart(v, "sends-wide", many(r.Source), many(r.SourceTyped), quota.Source)
	c.staff, errs[2] = quota.New(v, "sends-staff", r.Operator, quota.Operator)
	err := errors.Join(errs[:]...)
	for kind, rate := range reserves {
		q, errKind := quota.New(v, "sends-shown-"+kind.String(), rate, quota.Subject)
		c.reserves[kind], err = q, errors.Join(err, errKind)
	}
	return c, err
}

// many returns the rate of a /48: that of five sources.
func many(r civicpin.Rate) civicpin.Rate {
	r.Limit = min(5*r.Limit, 1_000_000)
	return r
}

// A Limit counts messages by subject, besides what [Counters] count.
type Limit struct {
	c       *Counters
	typed   bool
	subject *quota.Quota
}

// Limit returns a limit. Limits of one name over one vault count together. Typed says that the messages go to addresses that
// visitors type. The error matches [civicpin.ErrInvalid] if the rate is invalid or zero.
func (c *Counters) Limit(name string, rate civicpin.Rate, typed bool) (*Limit, error) {
	q, err := quota.New(c.vault, "sends."+name, rate, quota.Subject)
	if err != nil {
		return nil, err
	}
	return &Limit{c: c, typed: typed, subject: q}, nil
}

// Typed returns the limit for messages that may go to addresses that visitors type. It counts together with l.
func (l *Limit) Typed() *Limit { return &Limit{c: l.c, typed: true, subject: l.subject} }

// A Request says who asks for messages, and for whom.
type Request struct {
	Subject civicpin.Subject
	By      civicpin.Actor
	Source  civicpin.Source
}

// A FullError says that a limit refuses.
type FullError struct {
	Source bool // the limit of a source address or an operator, and not of the subject
	Until  time.Time
}

// Error returns the time.
func (e *FullError) Error() string { return "sends: full until " + e.Until.UTC().Format(time.RFC3339) }

// Take counts n messages, all or none. A caller who has shown something is counted against a reserve first, and as any visitor
// once the reserve is used up: a proof never gives less than none. Facts open their reserve the other way round, when what any
// visitor may ask for is used up. Take reports whether the messages count as asked for by a caller who has shown something.
// Neither the work nor the answer depends on whether the subject exists. Errors:
//   - a *[FullError]: a limit refused; it says when there is room for all of them.
//   - the store's: some may have been counted.
func (l *Limit) Take(ctx context.Context, r Request, n int) (known bool, err error) {
	if r.By.IsOperator() {
		_, err := l.c.staff.Take(ctx, store.Key{ID: string(r.By)}, n)
		return true, refused(true, err)
	}
	has := shown.Open(l.c.vault, r.Subject, r.Source.Shown)
	reserve := func() error { return l.reserve(ctx, r, has, n) }
	open := func() error { return l.open(ctx, r, n) }
	switch {
	case has.Kind > shown.Facts:
		return either(reserve, open)
	case has.Kind == shown.Facts:
		_, err := either(open, reserve)
		return false, err
	}
	return false, open()
}

// either counts by one limit, or by another if the one is full. It reports whether the one counted. If both are full, the error
// is of that which has room sooner.
func either(one, other func() error) (first bool, err error) {
	err = one()
	full, ok := errors.AsType[*FullError](err)
	if !ok {
		return err == nil, err
	}
	if err = other(); err == nil {
		return false, nil
	}
	if again, ok := errors.AsType[*FullError](err); ok && full.Until.Before(again.Until) {
		err = full
	}
	return false, err
}

// reserve counts messages against what the caller has shown.
func (l *Limit) reserve(ctx context.Context, r Request, has shown.Value, n int) error {
	key := store.Key{Subject: r.Subject}
	if has.ID != "" {
		h := l.c.vault.Hash("outbox.reserve", has.ID)
		key.ID = hex.EncodeToString(h[:16])
	}
	_, err := l.c.reserves[has.Kind].Take(ctx, key, n)
	return refused(false, err)
}

// open counts messages that any visitor may ask for. What was taken goes back if another count refuses, or the requests that
// were refused would eat up the limit of those that share the source.
func (l *Limit) open(ctx context.Context, r Request, n int) error {
	type step struct {
		of     *quota.Quota
		key    store.Key
		source bool
	}
	var steps []step
	if r.Source.Address != "" {
		steps = append(steps, step{l.c.source, quota.SourceKey(r.Source.Address), true})
		if wide, ok := quota.WideKey(r.Source.Address); ok {
			steps = append(steps, step{l.c.wide, wide, true})
		}
	}
	steps = append(steps, step{l.subject, store.Key{Subject: r.Subject}, false})
	var done []quota.Charge
	for _, s := range steps {
		take := s.of.Take
		if s.source && l.typed {
			take = s.of.TakePart
		}
		t, err := take(ctx, s.key, n)
		if err != nil {
			for k := range done {
				steps[k].of.Refund(ctx, done[k])
			}
			return refused(s.source, err)
		}
		done = append(done, t)
	}
	return nil
}

// refused returns the error of a quota as one of this package.
func refused(source bool, err error) error {
	if full, ok := errors.AsType[*quota.FullError](err); ok {
		return &FullError{Source: source, Until: full.Until}
	}
	return err
}
