package outbox

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/gcra"
	"github.com/civicpin/civicpin/internal/turns"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxHeld is how many messages of one class wait for one address.
	maxHeld = 64
	// maxHold is the longest that a message waits for its address: longer than any secret of this library is good.
	maxHold = 31 * 24 * time.Hour
	// maxCountryHold is the longest that a message waits for its country.
	maxCountryHold = 3 * 24 * time.Hour
)

// country is what is stored of the limit of a country's telephones: see package gcra. Times are nanoseconds since 1970.
type country struct {
	State int64 `json:"t"`
	Told  int64 `json:"e"`
}

// queue is the limit that a message counts against at its address.
type queue struct {
	id   string // a keyed hash
	rule turns.Rule
}

// hash returns a keyed hash of parts, as a text.
func (o *Outbox) hash(parts ...string) string {
	h := o.vault.Hash("outbox.destination", parts...)
	return hex.EncodeToString(h[:16])
}

// place returns the name of a message's place in a queue.
func (o *Outbox) place(r Ref) string { return o.hash("place", r.Owner, string(r.Subject), r.ID) }

// queueOf returns the queue of a message.
func (o *Outbox) queueOf(j *job, m *civicpin.Message) queue {
	l, address := &o.opts.Limits, routeOf(m.To).address
	rule := turns.Rule{Rate: l.Proved, Most: maxHeld, Hold: maxHold}
	of := []string{j.entry.Value.Class.String(), address}
	switch {
	case j.entry.Value.Decoy == 1:
		of[0] = "decoy" // the same work; each has an address of its own, and is never held
	case j.entry.Value.Class == Notice:
		rule.Rate, rule.Merge = l.Notice, true
	case j.entry.Value.Class == Shown:
		rule.Rate = l.Shown
		of = append(of, string(j.ref.Subject))
	case j.entry.Value.Class == Typed:
		rule.Rate = l.Typed
	}
	return queue{o.hash(append(of, rule.Rate.Window.String())...), rule}
}

// allow reports whether a message may go now. If not, or if the store fails, it gives the claim and the try back, or gives the
// message up. A message that was let through and fails needs no other turn.
func (o *Outbox) allow(ctx context.Context, j *job, m *civicpin.Message) bool {
	if m.To.Address == "" {
		return true // handed over by hand
	}
	if j.entry.Value.Turn == 0 {
		if m.Link.IsZero() || j.entry.Value.Class != Notice { // a notice that carries a right is neither held nor merged
			if !o.queued(ctx, j, m) {
				return false
			}
		}
		j.entry.Value.Turn = 1 // written with the outcome
	}
	if j.entry.Value.Class != Typed || j.entry.Value.Decoy == 1 {
		o.watch(ctx, m.To)
		return true
	}
	return m.To.Prefix() == "" || o.toCountry(ctx, j, m)
}

// queued asks the queue of the address, in one conditional write.
func (o *Outbox) queued(ctx context.Context, j *job, m *civicpin.Message) bool {
	q := o.queueOf(j, m)
	ask := turns.Question{
		Entry: o.place(j.ref), Subject: o.hash("subject", string(j.ref.Subject)),
		Replaces: j.entry.Value.Replaces, Now: o.vault.Now(), Expires: m.Expires,
	}
	if j.entry.Value.Class == Notice {
		ask.Group = o.hash("group", j.ref.Owner, string(j.ref.Subject), string(m.Kind))
	}
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var a turns.Answer
	_, err := o.queues.Update(within, store.Key{ID: q.id}, func(e *store.Entry[turns.Queue]) error {
		a = e.Value.Ask(q.rule, ask)
		e.Expires = e.Value.Until(ask.Now)
		return nil
	})
	if err != nil {
		o.giveBack(ctx, j, func(e *entry) { e.Tries, e.Due = e.Tries-1, o.in(o.pace.Delay(1)) })
		return false
	}
	if a.Tell {
		o.events.Record(ctx, civicpin.Event{Code: EventHeld, Ref: q.id[:16], Reason: j.entry.Value.Class.String()})
	}
	switch a.Verdict {
	case turns.Wait:
		if j.entry.Value.Queue == "" {
			o.noteHeld(ctx, j.ref.Subject, 1, 0)
		}
		o.giveBack(ctx, j, func(e *entry) { e.Tries, e.Due, e.Queue = e.Tries-1, a.At.UnixNano(), q.id })
	case turns.Refuse:
		o.giveUp(ctx, j, "too many messages to one address")
	case turns.Merged:
		o.close(ctx, j, doneSent, "", "")
		o.record(ctx, EventMerged, j.ref, "")
	default:
		if a.More > 0 {
			m.Params = withMore(m.Params, a.More)
		}
		return true
	}
	return false
}

// giveUp ends a message that a limit refuses.
func (o *Outbox) giveUp(ctx context.Context, j *job, why string) {
	o.noteHeld(ctx, j.ref.Subject, 0, 1)
	o.close(ctx, j, doneFailed, "", why)
	o.record(ctx, EventExpired, j.ref, why)
}

// leave gives up the place of a message that its owner has withdrawn. If that fails, the place is passed over after a while.
func (o *Outbox) leave(ctx context.Context, j *job) {
	id := j.entry.Value.Queue
	if id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	name := o.place(j.ref)
	_, _ = o.queues.Update(ctx, store.Key{ID: id}, func(e *store.Entry[turns.Queue]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.Value.Leave(name)
		return nil
	})
}

// refund gives back the turn of a message that its country refuses. If that fails, its address gets one message less.
func (o *Outbox) refund(ctx context.Context, j *job, m *civicpin.Message) {
	q, name := o.queueOf(j, m), o.place(j.ref)
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, _ = o.queues.Update(ctx, store.Key{ID: q.id}, func(e *store.Entry[turns.Queue]) error {
		e.Value.Refund(q.rule, name)
		return nil
	})
}

// countryRate returns how many messages of class Typed the telephones of a country get.
func (o *Outbox) countryRate(prefix string) civicpin.Rate {
	if home := o.opts.Limits.HomePrefixes; len(home) == 0 || slices.Contains(home, prefix) {
		return o.opts.Limits.Home
	}
	return o.opts.Limits.Abroad
}

// toCountry gives a message its turn among those for the telephones of a country. It gets it once: messages go in the order in
// which their addresses let them through.
func (o *Outbox) toCountry(ctx context.Context, j *job, m *civicpin.Message) bool {
	now, prefix := o.vault.Now(), m.To.Prefix()
	rate := o.countryRate(prefix)
	at := time.Unix(0, j.entry.Value.Slot)
	if j.entry.Value.Slot == 0 || at.After(now.Add(maxCountryHold)) {
		var ok, tell bool
		within, cancel := context.WithTimeout(ctx, storeTimeout)
		defer cancel()
		id := o.hash("country", prefix, rate.Window.String())
		_, err := o.countries.Update(within, store.Key{ID: id}, func(e *store.Entry[country]) error {
			ahead := int(maxCountryHold / (rate.Window / time.Duration(rate.Limit)))
			state := time.Unix(0, e.Value.State)
			next, turn, has := gcra.Reserve(rate, state, now, min(ahead, maxTyped))
			if at, ok = turn, has && !turns.TooLate(turn, now, m.Expires); ok {
				state = next
			}
			told := time.Unix(0, e.Value.Told)
			if tell = (!ok || at.After(now)) && (now.Sub(told) >= time.Hour || told.After(now)); tell {
				e.Value.Told = now.UnixNano()
			} else if !ok {
				return store.ErrSkip
			}
			e.Value.State, e.Expires = state.UnixNano(), later(state, now.Add(time.Hour))
			return nil
		})
		if err != nil {
			o.giveBack(ctx, j, func(e *entry) { e.Tries, e.Due = e.Tries-1, o.in(o.pace.Delay(1)) })
			return false
		}
		if tell {
			o.events.Record(ctx, civicpin.Event{Code: EventHeld, Ref: id[:16], Reason: "country"})
		}
		if !ok {
			o.refund(ctx, j, m)
			o.giveUp(ctx, j, "too many messages to one country")
			return false
		}
	}
	if !at.After(now) {
		return true
	}
	if j.entry.Value.Queue == "" && j.entry.Value.Slot == 0 {
		o.noteHeld(ctx, j.ref.Subject, 1, 0)
	}
	o.giveBack(ctx, j, func(e *entry) {
		e.Tries, e.Slot, e.Due = e.Tries-1, at.UnixNano(), min(at.UnixNano(), now.Add(turns.Again).UnixNano())
	})
	return false
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
