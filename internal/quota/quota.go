// Package quota counts events against a rate, by a key: guesses from one source, messages for one subject, acts of one
// operator. What is counted together has one name and one rate. A quota of another rate counts apart, even under the same
// name: two rates over one record would cut each other's counts.
package quota

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
	"github.com/civicpin/civicpin/store"
)

// EventSlowed says that a key is over its rate; the reason is the quota's name.
const EventSlowed civicpin.EventCode = "lockout.slowed"

// giveBackTime bounds what is done with the store after the visitor may have hung up.
const giveBackTime = 15 * time.Second

// A Scope says whose events a quota counts, and so in which field of the event the key stands.
type Scope int

// The scopes.
const (
	Subject  Scope = iota // the key has a subject
	Source                // the key's ID is an address, as SourceKey returns it
	Operator              // the key's ID is a civicpin.Actor, counted as its Canonical form
	Global                // the keys are shards
)

// A Quota allows so many events per window for each key. It is safe for concurrent use, also over several processes.
type Quota struct {
	vault  *store.Vault
	rate   civicpin.Rate
	part   civicpin.Rate // see NewPart; zero if there is none
	scope  Scope
	states store.Kind[state]
}

// state is the timestamp of the generic cell rate algorithm, and that of a part.
type state struct {
	Next time.Time `json:"next" export:"yes"`
	Part time.Time `json:"part,omitzero" export:"yes"`
}

// maxShards is the number of records over which a global rate is spread, so that failures do not all wait for one.
const maxShards = 16

// A FullError says that a key is over its rate.
type FullError struct {
	Until time.Time // when the event that was refused will be let in
}

// Error returns the time.
func (e *FullError) Error() string { return "quota: full until " + e.Until.UTC().Format(time.RFC3339) }

// New returns a quota. The name is 1 to 58 ASCII letters, digits and "-_.". The error matches
// [civicpin.ErrInvalid] if the rate is invalid or zero.
func New(v *store.Vault, name string, r civicpin.Rate, s Scope) (*Quota, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if r == (civicpin.Rate{}) {
		return nil, fmt.Errorf("quota: %w: no rate", civicpin.ErrInvalid)
	}
	kind, err := store.NewKind[state](v, "quota."+name)
	if err != nil {
		return nil, err
	}
	return &Quota{vault: v, rate: r, scope: s, states: kind}, nil
}

// NewPart is New for a quota that counts a part of its events against a rate of their own as well, in the same record.
func NewPart(v *store.Vault, name string, r, part civicpin.Rate, s Scope) (*Quota, error) {
	if err := part.Validate(); err != nil || part == (civicpin.Rate{}) {
		return nil, fmt.Errorf("quota: %w: no rate of a part", civicpin.ErrInvalid)
	}
	q, err := New(v, name, r, s)
	if err == nil {
		q.part = part
	}
	return q, err
}

// Rate returns the rate.
func (q *Quota) Rate() civicpin.Rate { return q.rate }

// A Charge is what [Quota.Take] counted.
type Charge struct {
	entry store.Entry[state]
	n     int
	part  bool
}

// Take counts n events for a key, all or none. Errors:
//   - a *[FullError]: the key is over its rate.
//   - the store's: the events may have been counted.
func (q *Quota) Take(ctx context.Context, key store.Key, n int) (Charge, error) {
	return q.take(ctx, key, n, false)
}

// TakePart is Take for events of the part: they count against both rates, or against none.
func (q *Quota) TakePart(ctx context.Context, key store.Key, n int) (Charge, error) {
	return q.take(ctx, key, n, true)
}

func (q *Quota) take(ctx context.Context, key store.Key, n int, part bool) (Charge, error) {
	var ok bool
	var again time.Time
	e, err := q.states.Update(ctx, q.key(key), func(e *store.Entry[state]) error {
		before, now := e.Value, q.vault.Now()
		ok, again = e.Value.take(q, n, part, now)
		if !ok && e.Value == before {
			return store.ErrSkip
		}
		// A refusal changes the state where a clock that was ahead had left it beyond the window. It is then written, or the
		// key would stay over its rate until that day.
		e.ExpiresAt = e.Value.Next
		if e.Value.Part.After(e.ExpiresAt) {
			e.ExpiresAt = e.Value.Part
		}
		return nil
	})
	if err == nil && !ok {
		err = q.refuse(ctx, key, again)
	}
	return Charge{e, n, part}, err
}

// take counts n events, all or none.
func (s *state) take(q *Quota, n int, part bool, now time.Time) (ok bool, again time.Time) {
	whole, ok, again := gcra.Take(q.rate, s.Next, now, n)
	if !part {
		s.Next = whole
		return ok, again
	}
	own, fits, later := gcra.Take(q.part, s.Part, now, n)
	switch {
	case ok && fits:
		s.Next, s.Part = whole, own
		return true, again
	case !ok:
		s.Next = whole // as it was, or corrected
	}
	if !fits {
		s.Part = own
	}
	if later.After(again) {
		again = later
	}
	return false, again
}

// key returns where the count of a key is stored.
func (q *Quota) key(key store.Key) store.Key {
	if q.scope == Operator {
		key.ID = string(civicpin.Actor(key.ID).Canonical())
	}
	key.ID += "/" + strconv.Itoa(q.rate.Limit) + "/" + q.rate.Window.String()
	if q.part != (civicpin.Rate{}) {
		key.ID += "/" + strconv.Itoa(q.part.Limit) + "/" + q.part.Window.String()
	}
	return key
}

// refuse returns the error of a key that is over its rate, and records it.
func (q *Quota) refuse(ctx context.Context, key store.Key, again time.Time) error {
	e := civicpin.Event{Code: EventSlowed, Subject: key.Subject, Reason: q.states.Name()}
	switch q.scope {
	case Source:
		e.Source.Address = key.ID
	case Operator:
		e.By = civicpin.Actor(key.ID)
	}
	q.vault.Record(ctx, e)
	return &FullError{Until: again}
}

// Refund gives back what Take counted. It first tries the record as Take left it. If the store fails, the key has so many
// events less.
func (q *Quota) Refund(ctx context.Context, t Charge) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	_, _ = q.states.UpdateFrom(ctx, t.entry, func(e *store.Entry[state]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.Value.Next = gcra.Refund(q.rate, e.Value.Next, t.n)
		if t.part {
			e.Value.Part = gcra.Refund(q.part, e.Value.Part, t.n)
		}
		return nil
	})
}

// shards is over how many records a rate is spread, and part is the share of each. Few events are not spread: their
// shares would be too coarse.
func (q *Quota) shards() (n int, part civicpin.Rate) {
	n = max(1, min(maxShards, q.rate.Limit/100))
	return n, civicpin.Rate{Limit: q.rate.Limit / n, Window: q.rate.Window}
}

// CheckShard looks at one shard of a global rate without counting. It returns the shard for ChargeShard: counting in another
// would be lost on those that are full. The shard is that of a keyed hash, so that no caller can choose one to fill, and equal
// calls do equal work. The error is a *[FullError] or the store's. A call that passes, full or not, has no FullError, and
// records no event.
func (q *Quota) CheckShard(ctx context.Context, hash [32]byte, passes bool) (Charge, error) {
	n, part := q.shards()
	key := store.Key{ID: strconv.Itoa(int(hash[0]) % n)}
	e, err := q.states.Get(ctx, q.key(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Charge{}, err
	}
	now := q.vault.Now()
	_, ok, again := gcra.Take(part, believed(part, e.Value.Next, now), now, 1)
	if !ok && !passes {
		return Charge{entry: e}, q.refuse(ctx, key, again)
	}
	return Charge{entry: e}, nil
}

// believed returns the state of a shard, zero for one that only a clock which was ahead can have left: a few wrong guesses by
// that clock must not have all visitors asked for a challenge. Each subject's own count stands.
func believed(part civicpin.Rate, state, now time.Time) time.Time {
	if state.After(now.Add(part.Window)) {
		return time.Time{}
	}
	return state
}

// ChargeShard counts one event in the shard that was checked. It first tries the record as CheckShard found it. A failure to
// count is passed over: the count is approximate, and the subject's own, which is exact, has been stored.
func (q *Quota) ChargeShard(ctx context.Context, checked Charge) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	_, part := q.shards()
	_, _ = q.states.UpdateFrom(ctx, checked.entry, func(e *store.Entry[state]) error {
		now := q.vault.Now()
		next, ok, _ := gcra.Take(part, believed(part, e.Value.Next, now), now, 1)
		if !ok {
			return store.ErrSkip
		}
		e.Value.Next, e.ExpiresAt = next, next
		return nil
	})
}
