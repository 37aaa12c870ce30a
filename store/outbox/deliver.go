package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/destination"
	"github.com/civicpin/civicpin/internal/guard"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/pace"
	"github.com/civicpin/civicpin/internal/scrub"
	"github.com/civicpin/civicpin/internal/turns"
	"github.com/civicpin/civicpin/store"
)

// deliver claims an entry, waits for the message's turn, and sends it.
func (o *Outbox) deliver(ctx context.Context, j *job) {
	ctx, release := guard.Hold(ctx) // no recorder is called while the claim lasts
	defer release()
	m := j.message
	j.message = nil
	if m == nil {
		// The owner is asked a second time. Of the first answer, in dispatch.admit, only the lane was kept: no secret waits in
		// memory, and the owner may have withdrawn the message. If it now goes elsewhere, the next listing moves its lane.
		if m = o.confirm(ctx, j); m == nil || routeOf(m.To) != j.route {
			return
		}
	}
	if free, tell := o.sender.Free(m.To.Channel); !free {
		if tell {
			o.notice(ctx, eventStuck, string(m.To.Channel))
		}
		o.save(ctx, j, func(e *entry) { e.Waits++; e.Due = o.in(o.pace.Delay(min(e.Waits, 4))) })
		return
	}
	// The claim. Of all dispatchers that read this state of the entry one gets it. Until Due, no other looks at the entry.
	if !o.save(ctx, j, func(e *entry) {
		e.Doubt, e.Waits, e.Due = 0, 0, o.in(o.pace.Claim())
		e.Tries++
	}) {
		return
	}
	claimed := o.vault.Now()
	// From here on a stop waits: a message that is half sent would be sent twice.
	ctx = context.WithoutCancel(ctx)
	decoy := j.entry.Value.Decoy == 1
	if !decoy && !o.sendable(ctx, j, m, claimed) || !o.allow(ctx, j, m) {
		return
	}
	switch {
	case decoy:
		_ = o.entries.Delete(ctx, &j.entry)
	case o.vault.Now().Sub(claimed) > pace.Margin/3:
		// Held up so long that the claim may end before the send does. It runs out, and the next try sends the message.
	default:
		o.send(ctx, j, m)
	}
}

// sendable reports whether a claimed message can be sent at all, and gives it up if not.
func (o *Outbox) sendable(ctx context.Context, j *job, m *civicpin.Message, claimed time.Time) bool {
	switch err := m.To.Validate(); {
	case j.entry.Value.Tries > o.opts.MaxTries: // the claims before this one
		o.bury(ctx, j, "no try came to an end")
	case err != nil:
		o.bury(ctx, j, err.Error())
	case !m.ExpiresAt.IsZero() && !m.ExpiresAt.After(claimed):
		o.close(ctx, j, doneFailed, "", "expired")
		o.record(ctx, eventExpired, j.ref, "")
	case j.entry.Value.Class != Notice && turns.TooLate(claimed, time.Unix(0, j.entry.Value.Born), m.ExpiresAt):
		o.close(ctx, j, doneFailed, "", "nearly expired") // its reader could not use it in time
		o.record(ctx, eventExpired, j.ref, "nearly expired")
	default:
		return true
	}
	return false
}

// allow reports whether a message may go now. If not, or if the store fails, it gives the claim and the try back, or gives the
// message up. A message that was let through and fails needs no other turn.
func (o *Outbox) allow(ctx context.Context, j *job, m *civicpin.Message) bool {
	if m.To.Address == "" {
		return true // handed over by hand
	}
	v := &j.entry.Value
	class, to := o.destinationOf(j, m)
	if v.Turn == 0 && !o.atAddress(ctx, j, m, class, to) {
		return false
	}
	prefix := m.To.Prefix()
	if v.Class != Typed || v.Decoy == 1 {
		if o.limits.Watch(prefix) {
			o.vault.Record(ctx, civicpin.Event{Code: eventFlood, Ref: prefix})
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

// atAddress asks the queue of the address whether a message may go.
func (o *Outbox) atAddress(
	ctx context.Context, j *job, m *civicpin.Message, c destination.Class, to destination.Message,
) bool {
	v := &j.entry.Value
	if v.Class == Notice && !m.Link.IsZero() {
		return true // it carries a right, and is neither held nor merged
	}
	a, err := o.limits.AtAddress(ctx, c, to)
	if errors.Is(err, store.ErrUnreadable) {
		return o.unreadable(ctx, j)
	}
	if !o.heed(ctx, j, a, err) {
		return false
	}
	if a.More > 0 {
		m.Params, j.with = withMore(m.Params, a.More), true
	}
	if v.Class != Notice { // each try of a notice asks anew how many others it stands for
		v.Turn = 1 // written with the outcome
	}
	return true
}

// unreadable deals with a message whose queue cannot be opened. A notice goes: a spoilt row must not silence an address. Any
// other message becomes a dead letter, since without its count the address could get any number.
func (o *Outbox) unreadable(ctx context.Context, j *job) bool {
	o.record(ctx, eventUnreadable, j.ref, "the queue of the address")
	if j.entry.Value.Class == Notice {
		return true
	}
	o.bury(ctx, j, "the queue of the address cannot be opened")
	return false
}

// heed does what a limit says, and reports whether the message goes.
func (o *Outbox) heed(ctx context.Context, j *job, a destination.Answer, err error) bool {
	if err != nil {
		o.giveBack(ctx, j, func(e *entry) { e.Tries, e.Due = e.Tries-1, o.in(o.pace.Delay(1)) })
		return false
	}
	if a.Tell {
		o.vault.Record(ctx, civicpin.Event{Code: eventHeld, Ref: a.Record[:16], Reason: a.Limit})
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
		o.record(ctx, eventExpired, j.ref, a.Why)
	case turns.Merged:
		o.close(ctx, j, doneSent, "", "")
		o.record(ctx, eventMerged, j.ref, "")
	}
	return false
}

// send hands a message to the notifier, and deals with the result.
func (o *Outbox) send(ctx context.Context, j *job, m *civicpin.Message) {
	receipt, err := o.sender.Notify(ctx, *m)
	private := []civicpin.Secret{m.Secret, m.Link, civicpin.NewSecret(m.To.Address)}
	switch {
	case err == nil:
		if !names.Printable(receipt, 256) {
			receipt = ""
		}
		o.close(ctx, j, doneSent, receipt, "") // first: a recorder that hangs would hold it up past the claim
		if j.with {
			o.limits.Sent(ctx, j.entry.Value.Queue, o.place(j.ref))
		}
		o.record(ctx, eventSent, j.ref, scrub.Text(receipt, private...))
	case errors.Is(err, civicpin.ErrUndeliverable), j.entry.Value.Tries >= o.opts.MaxTries:
		o.bury(ctx, j, scrub.Text(err.Error(), private...))
	default:
		o.giveBack(ctx, j, func(e *entry) { e.Due = o.in(o.pace.Delay(e.Tries)) })
		o.record(ctx, eventRetried, j.ref, scrub.Text(err.Error(), private...))
	}
}

// giveBack ends a claim. Should that fail, the claim runs out by itself.
func (o *Outbox) giveBack(ctx context.Context, j *job, change func(*entry)) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	o.save(ctx, j, change)
}

// bury makes a dead letter of a message and tells its owner. The dead letter comes first: a crash after it leaves an entry
// that is buried again, a crash before it would leave a failure that no operator sees.
func (o *Outbox) bury(ctx context.Context, j *job, reason string) {
	if err := o.keepDead(ctx, j, reason); err != nil {
		o.giveBack(ctx, j, func(e *entry) { e.Due = o.in(o.pace.Delay(1)) })
		return
	}
	o.close(ctx, j, doneFailed, "", reason)
	o.limits.Leave(ctx, j.entry.Value.Queue, o.place(j.ref))
	o.record(ctx, eventDead, j.ref, reason)
}

// keepDead writes the dead letter of a job.
func (o *Outbox) keepDead(ctx context.Context, j *job, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := o.dead.Update(ctx, j.entry.Key, func(e *store.Entry[dead]) error {
		now := o.vault.Now()
		e.Value = dead{At: now.UnixNano(), Tries: j.entry.Value.Tries, Reason: reason, Class: j.entry.Value.Class}
		e.ExpiresAt = now.Add(o.opts.KeepDead)
		return nil
	})
	return err
}

// record records an event about a message.
func (o *Outbox) record(ctx context.Context, code civicpin.EventCode, ref Ref, reason string) {
	o.vault.Record(ctx, civicpin.Event{Code: code, Subject: ref.Subject, Ref: ref.ID, Reason: reason})
}

// receive keeps the receipt of a notice that was sent, for Bounced.
func (o *Outbox) receive(ctx context.Context, j *job) error {
	v := &j.entry.Value
	if v.Class != Notice || v.Done != doneSent || v.Receipt == "" {
		return nil
	}
	_, err := o.receipts.Update(ctx, store.Key{ID: v.Receipt}, func(e *store.Entry[receipt]) error {
		e.Value = receipt{Owner: j.ref.Owner, Subject: j.ref.Subject, ID: j.ref.ID}
		e.ExpiresAt = o.vault.Now().Add(receiptsFor)
		return nil
	})
	return err
}
