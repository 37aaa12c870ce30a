package outbox

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// rate is the state of the limit of one class of an address, or of a country: see package gcra. It is found under a keyed hash.
type rate struct {
	State int64 `json:"t"` // nanoseconds since 1970
	// Told is when it was last recorded that messages are held.
	Told int64 `json:"e"`
}

// bucket is a limit that a message counts against.
type bucket struct {
	id    string // a keyed hash
	rate  civicpin.Rate
	queue int // how many messages may wait
}

// ahead is how many messages may wait: no more than come to their turn within maxHold.
func (b bucket) ahead() int {
	return int(min(time.Duration(b.queue), maxHold/(b.rate.Window/time.Duration(b.rate.Limit))))
}

// buckets returns the limits of a message.
func (o *Outbox) buckets(j *job, to civicpin.Contact) []bucket {
	l := &o.opts.Limits
	id := func(parts ...string) string {
		h := o.vault.Hash("outbox.destination", parts...)
		return hex.EncodeToString(h[:16])
	}
	address := routeOf(to).address
	if j.entry.Value.Decoy == 1 {
		return []bucket{{id("decoy", address), l.Proved, maxHeld}} // the same work; each has an address of its own, and is never held
	}
	switch j.entry.Value.Class {
	case Notice:
		return nil
	case Shown:
		return []bucket{{id("shown", string(j.ref.Subject), address), l.Shown, maxHeld}}
	case Proved:
		return []bucket{{id("proved", address), l.Proved, maxHeld}}
	}
	list := []bucket{{id("typed", address), l.Typed, maxHeld}}
	if prefix := to.Prefix(); prefix != "" {
		country := l.Abroad
		if len(l.HomePrefixes) == 0 || slices.Contains(l.HomePrefixes, prefix) {
			country = l.Home
		}
		list = append(list, bucket{id("country", prefix), country, maxWaiting})
	}
	return list
}

// allow reports whether a message may go now. If not, or if the store fails, it gives the claim and the try back: the message
// has a place in the queue then, and is held until its turn. So messages to one address go in the order in which they came,
// and none is overtaken. A message whose turn comes too late for it, or that finds too many before it, is given up. A message
// that is sent and fails keeps its place: a flood of failing messages is one, too.
func (o *Outbox) allow(ctx context.Context, j *job, m *civicpin.Message) bool {
	if m.To.Address == "" {
		return true // handed over by hand
	}
	now := o.vault.Now()
	if slot := time.Unix(0, j.entry.Value.Slot); j.entry.Value.Slot != 0 && !slot.After(now.Add(maxHold)) {
		return o.hold(ctx, j, slot, now)
	}
	slot := now
	buckets := o.buckets(j, m.To)
	for i, b := range buckets {
		at, ok, err := o.reserve(ctx, b, j.entry.Value.Class, now, m.Expires)
		if err != nil || !ok {
			o.refund(ctx, buckets[:i])
		}
		switch {
		case err != nil:
			o.giveBack(ctx, j, func(e *entry) {
				e.Due = o.in(o.opts.delay(1))
				e.Tries--
			})
			return false
		case !ok:
			o.close(ctx, j, doneFailed, "", "too many messages to one address")
			o.record(ctx, EventExpired, j.ref, "held too long")
			return false
		case at.After(slot):
			slot = at
		}
	}
	return o.hold(ctx, j, slot, now)
}

// hold reports whether a message's turn has come, and otherwise leaves it until then.
func (o *Outbox) hold(ctx context.Context, j *job, slot, now time.Time) bool {
	if !slot.After(now) {
		j.entry.Value.Slot = slot.UnixNano() // written with the outcome: another try needs no other place
		return true
	}
	o.giveBack(ctx, j, func(e *entry) {
		e.Slot, e.Due = slot.UnixNano(), slot.UnixNano()
		e.Tries--
	})
	return false
}

// reserve takes the next place under a limit. ok is false if that is later than the message is worth sending: a fifth of its
// life has to be left.
func (o *Outbox) reserve(ctx context.Context, b bucket, class Class, now, expires time.Time) (
	at time.Time, ok bool, err error,
) {
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	tell := false
	_, err = o.rates.Update(within, store.Key{ID: b.id}, func(e *store.Entry[rate]) error {
		var state, next time.Time
		if e.Found() {
			state = time.Unix(0, e.Value.State)
		}
		next, at, ok = limitOf(b.rate).Reserve(state, now, b.ahead())
		if ok && !expires.IsZero() && at.After(now) && at.After(expires.Add(-expires.Sub(now)/5)) {
			ok = false
		}
		told := time.Unix(0, e.Value.Told)
		if tell = (!ok || at.After(now)) && (now.Sub(told) >= time.Hour || told.After(now)); tell {
			e.Value.Told = now.UnixNano()
		} else if !ok {
			return store.ErrSkip
		}
		if ok {
			state = next
		}
		e.Value.State, e.Expires = state.UnixNano(), later(state, now.Add(time.Hour))
		return nil
	})
	if err == nil && tell {
		o.tell(ctx, civicpin.Event{Code: EventHeld, Ref: b.id[:16], Reason: class.String()})
	}
	return at, ok, err
}

// refund gives back the places of a message that does not get all that it needs. If the store fails, they are lost, which only
// lets less through.
func (o *Outbox) refund(ctx context.Context, buckets []bucket) {
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for _, b := range buckets {
		_, _ = o.rates.Update(within, store.Key{ID: b.id}, func(e *store.Entry[rate]) error {
			if !e.Found() {
				return store.ErrSkip
			}
			e.Value.State = limitOf(b.rate).Refund(time.Unix(0, e.Value.State), 1).UnixNano()
			return nil
		})
	}
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
