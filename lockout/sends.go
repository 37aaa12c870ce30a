package lockout

import (
	"context"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// SendLimits say how many messages with a secret may be asked for. A zero Rate means its default: nothing may be sent
// without limit, or strangers would have the agency pay for their messages (SMS pumping) or flood somebody's telephone.
type SendLimits struct {
	Subject Rate // to one subject; default 10 in 24 hours
	Address Rate // to one address, whoever it belongs to; default 10 in 24 hours
	Prefix  Rate // to the telephones of one country calling code; default 10,000 in an hour
	Source  Rate // asked for from one source address; default 60 in an hour
}

func (l SendLimits) withDefaults() SendLimits {
	fill := func(r *Rate, limit int, window time.Duration) {
		if *r == (Rate{}) {
			*r = Rate{Limit: limit, Window: window}
		}
	}
	fill(&l.Subject, 10, 24*time.Hour)
	fill(&l.Address, 10, 24*time.Hour)
	fill(&l.Prefix, 10_000, time.Hour)
	fill(&l.Source, 60, time.Hour)
	return l
}

// Validate returns nil, or an error that matches [ErrPolicy] if one of the rates is not valid.
func (l SendLimits) Validate() error {
	for _, r := range []Rate{l.Subject, l.Address, l.Prefix, l.Source} {
		if err := r.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Sends counts messages against [SendLimits]. Make one with [NewSends]. It is safe for concurrent use, also over several
// processes.
type Sends struct {
	limits                           SendLimits
	subject, address, prefix, source *Quota
}

// Limits returns the limits with their defaults filled in.
func (s *Sends) Limits() SendLimits { return s.limits }

// NewSends returns a counter. Its name is 1 to 50 ASCII letters, digits and "-_."; the limits by subject are counted for each
// name, those by address, prefix and source over all names. It gives an error that matches [ErrPolicy].
func NewSends(v *store.Vault, name string, limits SendLimits) (*Sends, error) {
	if name == "" || len(name) > 50 {
		return nil, fmt.Errorf("%w: Sends need a name of 1 to 50 ASCII letters, digits, hyphens, underscores and dots", ErrPolicy)
	}
	if err := limits.Validate(); err != nil {
		return nil, err
	}
	limits = limits.withDefaults()
	s := Sends{limits: limits}
	for _, q := range []struct {
		to    **Quota
		name  string
		rate  Rate
		scope Scope
	}{
		{&s.subject, "sends." + name, limits.Subject, ScopeSends},
		{&s.address, "sends-to-address", limits.Address, ScopeAddress},
		{&s.prefix, "sends-to-prefix", limits.Prefix, ScopeAddress},
		{&s.source, "sends-from-source", limits.Source, ScopeSource},
	} {
		var err error
		if *q.to, err = newQuota(v, q.name, q.rate, q.scope); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

// Take counts one message to each contact, all or none, or returns a *[LockedError] that says when to ask again: by then there
// is room for all of them under the limit that refused. The work is the same whether or not the subject exists. Contacts
// that the caller prints for ([civicpin.Channel.Printed]) count for the subject and the source only. If the store fails,
// some may have been counted.
func (s *Sends) Take(ctx context.Context, subject civicpin.Subject, source civicpin.Source, to ...civicpin.Contact) error {
	var charges []charge
	add := func(q *Quota, key store.Key, n int) {
		for i := range charges {
			if charges[i].quota == q && charges[i].entry.Key == key {
				charges[i].n += n
				return
			}
		}
		charges = append(charges, charge{quota: q, n: n, entry: store.Entry[quotaState]{Key: key}})
	}
	if source.Address != "" {
		add(s.source, sourceKey(source.Address), len(to))
	}
	add(s.subject, store.Key{Subject: subject}, len(to))
	for _, c := range to {
		if !c.Channel.Printed() {
			add(s.address, store.Key{ID: c.Canonical()}, 1)
			add(s.prefix, prefixKey(c), 1)
		}
	}
	for i := range charges {
		c := &charges[i]
		var err error
		if c.entry, err = c.quota.take(ctx, c.entry.Key, c.n); err != nil {
			// What was taken goes back, or whoever asks again when they are told to would find the limits eaten up by the
			// requests that were refused. At worst it does not, and they wait a little longer.
			for _, taken := range charges[:i] {
				_ = taken.quota.refund(ctx, &taken.entry, taken.n)
			}
			return err
		}
	}
	return nil
}

// charge is so many messages under one limit.
type charge struct {
	quota *Quota
	n     int
	entry store.Entry[quotaState]
}

// prefixKey is what a contact counts for beyond its address: a telephone's country. Any other counts for itself once
// more, which limits nothing further and makes the work the same for each contact.
func prefixKey(c civicpin.Contact) store.Key {
	if prefix := c.Prefix(); prefix != "" {
		return store.Key{ID: prefix}
	}
	return store.Key{ID: "-" + c.Canonical()}
}
