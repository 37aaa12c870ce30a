package outbox

import (
	"context"
	"maps"
	"strconv"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
	"github.com/civicpin/civicpin/internal/turns"
)

// allow reports whether a message may go now. If not, or if the store fails, it gives the claim and the try back, or gives the
// message up. A message that was let through and fails needs no other turn.
func (o *Outbox) allow(ctx context.Context, j *job, m *civicpin.Message) bool {
	if m.To.Address == "" {
		return true // handed over by hand
	}
	v := &j.entry.Value
	class, to := o.destinationOf(j, m)
	if v.Turn == 0 {
		if m.Link.IsZero() || v.Class != Notice { // a notice that carries a right is neither held nor merged
			a, err := o.limits.AtAddress(ctx, class, to)
			if !o.heed(ctx, j, a, err) {
				return false
			}
			if a.More > 0 {
				m.Params = withMore(m.Params, a.More)
			}
		}
		v.Turn = 1 // written with the outcome
	}
	prefix := m.To.Prefix()
	if v.Class != Typed || v.Decoy == 1 {
		if o.limits.Watch(prefix) {
			o.events.Record(ctx, civicpin.Event{Code: EventFlood, Ref: prefix})
		}
		return true
	}
	if prefix == "" {
		return true
	}
	a, err := o.limits.AtCountry(ctx, to, v.Slot)
	if err == nil && a.Verdict == turns.Refuse {
		o.limits.Refund(ctx, class, to)
	}
	return o.heed(ctx, j, a, err)
}

// destinationOf returns the class of a message, and what the limits know of the message.
func (o *Outbox) destinationOf(j *job, m *civicpin.Message) (destination.Class, destination.Message) {
	to := destination.Message{
		Place: o.place(j.ref), Replaces: j.entry.Value.Replaces, Subject: j.ref.Subject, To: m.To, Expires: m.Expires,
	}
	if j.entry.Value.Class == Notice {
		to.Group = []string{j.ref.Owner, string(j.ref.Subject), string(m.Kind)}
	}
	class, ok := o.classes[j.entry.Value.Class]
	switch {
	case j.entry.Value.Decoy == 1:
		class = o.decoys
	case !ok:
		class = o.classes[Typed]
	}
	return class, to
}

// heed does what a limit says, and reports whether the message goes.
func (o *Outbox) heed(ctx context.Context, j *job, a destination.Answer, err error) bool {
	if err != nil {
		o.giveBack(ctx, j, func(e *entry) { e.Tries, e.Due = e.Tries-1, o.in(o.pace.Delay(1)) })
		return false
	}
	if a.Tell {
		o.events.Record(ctx, civicpin.Event{Code: EventHeld, Ref: a.Record[:16], Reason: a.Limit})
	}
	switch a.Verdict {
	case turns.Go:
		return true
	case turns.Wait:
		if j.entry.Value.Queue == "" && j.entry.Value.Slot == 0 {
			o.limits.Note(ctx, j.ref.Subject, 1, 0)
		}
		o.giveBack(ctx, j, func(e *entry) {
			e.Tries, e.Due = e.Tries-1, a.At.UnixNano()
			if e.Slot = a.Slot; a.Slot == 0 {
				e.Queue = a.Record
			}
		})
	case turns.Refuse:
		o.limits.Note(ctx, j.ref.Subject, 0, 1)
		o.close(ctx, j, doneFailed, "", a.Why)
		o.record(ctx, EventExpired, j.ref, a.Why)
	case turns.Merged:
		o.close(ctx, j, doneSent, "", "")
		o.record(ctx, EventMerged, j.ref, "")
	}
	return false
}

// withMore returns the parameters of a notice that goes for n others as well.
func withMore(params map[string]string, n int) map[string]string {
	params = maps.Clone(params)
	if params == nil {
		params = make(map[string]string)
	}
	params["more"] = strconv.Itoa(n)
	return params
}
