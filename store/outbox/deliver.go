package outbox

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/pace"
	"github.com/civicpin/civicpin/internal/scrub"
)

// deliver claims an entry and sends its message.
func (o *Outbox) deliver(ctx context.Context, j *job) {
	m := j.message
	j.message = nil
	if m == nil {
		// It had to wait. If it now goes elsewhere, the next listing puts it into the right lane.
		if m = o.confirm(ctx, j); m == nil || routeOf(m.To) != j.route {
			return
		}
	}
	if free, tell := o.sender.Free(m.To.Channel); !free {
		if tell {
			o.notice(ctx, EventStuck, string(m.To.Channel))
		}
		o.save(ctx, j, func(e *entry) { e.Waits++; e.Due = o.in(o.pace.Delay(min(e.Waits, 4))) })
		return
	}
	// The claim. Of all that read this state of the entry one gets it; until Due nobody else looks at it.
	tried := j.entry.Value.Tries
	if !o.save(ctx, j, func(e *entry) {
		e.Doubt, e.Waits, e.Due = 0, 0, o.in(o.pace.Claim())
		e.Tries++
	}) {
		return
	}
	claimed := o.vault.Now()
	// From here on a stop waits: a message that is half sent would be sent twice.
	ctx = context.WithoutCancel(ctx)

	if j.entry.Value.Decoy == 1 {
		if o.allow(ctx, j, m) {
			_ = o.entries.Delete(ctx, &j.entry)
		}
		return
	}
	switch err := m.To.Validate(); {
	case tried >= o.opts.MaxTries:
		o.bury(ctx, j, "no try came to an end")
		return
	case err != nil:
		o.bury(ctx, j, err.Error())
		return
	case !m.Expires.IsZero() && !m.Expires.After(claimed):
		o.close(ctx, j, doneFailed, "", "expired")
		o.record(ctx, EventExpired, j.ref, "")
		return
	}
	if !o.allow(ctx, j, m) {
		return
	}
	if o.vault.Now().Sub(claimed) > pace.Margin/3 {
		return // held up so long that the claim may end before the send does; somebody else will take it
	}
	receipt, err := o.sender.Notify(ctx, *m)
	private := []civicpin.Secret{m.Secret, m.Link, civicpin.NewSecret(m.To.Address)}
	switch {
	case err == nil:
		if len(receipt) > 256 {
			receipt = ""
		}
		o.close(ctx, j, doneSent, receipt, "") // first: a recorder that hangs would hold it up past the claim
		o.record(ctx, EventSent, j.ref, scrub.Text(receipt, private...))
	case errors.Is(err, civicpin.ErrUndeliverable), j.entry.Value.Tries >= o.opts.MaxTries:
		o.bury(ctx, j, scrub.Text(err.Error(), private...))
	default:
		o.giveBack(ctx, j, func(e *entry) { e.Due = o.in(o.pace.Delay(e.Tries)) })
		o.record(ctx, EventRetried, j.ref, scrub.Text(err.Error(), private...))
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
	o.record(ctx, EventDead, j.ref, reason)
}
