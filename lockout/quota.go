package lockout

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A Quota allows so many events per window for each key: messages to one address, requests from one source. Make one with
// [NewQuota]. It is safe for concurrent use, also over several processes.
type Quota struct {
	vault  *store.Vault
	rate   civicpin.Rate
	scope  Scope
	states store.Kind[quotaState]
}

// quotaState is the one timestamp of the generic cell rate algorithm.
type quotaState struct {
	Next time.Time `json:"next" export:"yes"`
}

// maxShards is the number of records over which a global rate is spread, so that failures do not all wait for one.
const maxShards = 16

// NewQuota returns a quota. Its name is 1 to 50 ASCII letters, digits and "-_.", and does not begin with "source.",
// "global.", "sends." or "sends-", which this package uses; quotas of one name over one vault count together. It gives an
// error that matches [ErrPolicy] for another name, and for a rate that is zero or not valid.
func NewQuota(v *store.Vault, name string, r civicpin.Rate) (*Quota, error) {
	if name == "" || len(name) > 50 {
		return nil, fmt.Errorf("%w: a quota needs a name of 1 to 50 ASCII letters, digits, hyphens, underscores and dots", ErrPolicy)
	}
	for _, ours := range []string{"source.", "global.", "sends.", "sends-"} {
		if strings.HasPrefix(name, ours) { // it would count together with a gate's, or with Sends
			return nil, fmt.Errorf("%w: a quota's name begins with %q", ErrPolicy, ours)
		}
	}
	return newQuota(v, name, r, ScopeSource)
}

func newQuota(v *store.Vault, name string, r civicpin.Rate, scope Scope) (*Quota, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	if r == (civicpin.Rate{}) {
		return nil, fmt.Errorf("%w: a quota needs a rate", ErrPolicy)
	}
	kind, err := store.NewKind[quotaState](v, "quota."+name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	return &Quota{vault: v, rate: r, scope: scope, states: kind}, nil
}

// Take counts one event for a key, or returns a *[LockedError] that says when the next one will be let in. If the store
// fails, its error is returned and the event may have been counted. Two store calls, one if refused.
func (q *Quota) Take(ctx context.Context, key store.Key) error {
	_, err := q.take(ctx, key, 1)
	return err
}

// take takes n events, all or none.
func (q *Quota) take(ctx context.Context, key store.Key, n int) (store.Entry[quotaState], error) {
	var ok bool
	var again time.Time
	e, err := q.states.Update(ctx, key, func(e *store.Entry[quotaState]) error {
		var next time.Time
		next, ok, again = limit(q.rate).Take(e.Value.Next, q.vault.Now(), n)
		if !ok && next.Equal(e.Value.Next) {
			return store.ErrSkip
		}
		// A refusal changes the state where a clock that was ahead had left it beyond the window. It is then written, or the
		// key would stay over its rate until that day.
		e.Value.Next, e.Expires = next, next
		return nil
	})
	if err == nil && !ok {
		err = q.refuse(ctx, key, again)
	}
	return e, err
}

// refuse returns the error of a key that is over its rate, and records it.
func (q *Quota) refuse(ctx context.Context, key store.Key, again time.Time) error {
	e := civicpin.Event{Code: EventSlowed, Subject: key.Subject, Reason: q.states.Name()}
	if q.scope == ScopeSource {
		e.Source.Address = key.ID
	} else {
		e.Ref = key.ID
	}
	q.vault.Record(ctx, e)
	return &LockedError{Scope: q.scope, Until: again}
}

// refund gives back what take took. It first tries the record as take left it.
func (q *Quota) refund(ctx context.Context, taken *store.Entry[quotaState], n int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	give := func(e *store.Entry[quotaState]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.Value.Next = limit(q.rate).Refund(e.Value.Next, n)
		return nil
	}
	_, err := q.states.UpdateFrom(ctx, *taken, give)
	return err
}

// shards is over how many records a rate is spread, and part is the share of each. Few events are not spread: their
// shares would be too coarse.
func (q *Quota) shards() (n int, part civicpin.Rate) {
	n = max(1, min(maxShards, q.rate.Limit/100))
	return n, civicpin.Rate{Limit: q.rate.Limit / n, Window: q.rate.Window}
}

// checkShard looks at one shard, chosen at random, without counting. It returns the shard, for chargeShard: counting in
// another would be lost on those that are full.
func (q *Quota) checkShard(ctx context.Context) (store.Key, error) {
	n, part := q.shards()
	key := store.Key{ID: strconv.Itoa(rand.IntN(n))}
	e, err := q.states.Get(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	next, ok, again := limit(part).Take(e.Value.Next, q.vault.Now(), 1)
	if ok {
		return key, nil
	}
	if !next.Equal(e.Value.Next) { // left by a clock that was ahead, as in take
		e.Value.Next, e.Expires = next, next
		_ = q.states.Put(ctx, &e) // if it fails, the next one does it
	}
	return key, q.refuse(ctx, key, again)
}

// chargeShard counts one event in the shard that was checked. A failure to count is passed over: the count is approximate,
// and the subject's own, which is exact, has been stored.
func (q *Quota) chargeShard(ctx context.Context, key store.Key) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	_, part := q.shards()
	_, _ = q.states.Update(ctx, key, func(e *store.Entry[quotaState]) error {
		next, ok, _ := limit(part).Take(e.Value.Next, q.vault.Now(), 1)
		if !ok {
			return store.ErrSkip
		}
		e.Value.Next, e.Expires = next, next
		return nil
	})
}

// sourceKey is what counts as one source: a host of IPv4, a /64 of IPv6 (the least that one customer is given, so that
// changing the address within it gains nothing), and any other text as it is. A port is left out: each connection has
// another one.
func sourceKey(address string) store.Key {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		address = ap.Addr().String()
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		if ip = ip.Unmap(); ip.Is6() {
			if p, err := ip.WithZone("").Prefix(64); err == nil {
				return store.Key{ID: p.String()}
			}
		}
		return store.Key{ID: ip.String()}
	}
	if len(address) > 256 {
		address = address[:256]
	}
	return store.Key{ID: strings.ToValidUTF8(address, "\uFFFD")} // a record whose key is not UTF-8 could not be read back
}
