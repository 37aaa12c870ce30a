package outbox

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/guard"
	"github.com/civicpin/civicpin/internal/scrub"
)

// confirm asks the owner of a job whether it is to be sent, and returns the message if it is. Otherwise it does what is
// to be done with the entry and returns nil.
func (o *Outbox) confirm(ctx context.Context, j *job) *civicpin.Message {
	if j.entry.Value.Done != notDone || o.wasSent(j) {
		o.conclude(ctx, j)
		return nil
	}
	m, err := o.ask(ctx, j)
	if j.entry.Value.Decoy == 1 {
		return o.standIn(j.ref)
	}
	if errors.Is(err, ErrWithdrawn) {
		if j.entry.Value.Doubt == 1 {
			o.drop(ctx, j)
			return nil
		}
		// The record may be about to be written, and its Commit may have read the entry before this write and not
		// change it. So the doubt is written first, and then the owner is asked once more. If the record is still not
		// there, its Commit is yet to come, and finds the doubt or, when the entry has been dropped, nothing: either
		// way it puts the entry back.
		if !o.save(ctx, j, func(e *entry) { e.Doubt, e.Due = 1, o.in(o.opts.Grace) }) {
			return nil
		}
		m, err = o.ask(ctx, j)
		if errors.Is(err, ErrWithdrawn) {
			if j.entry.Value.Tries > 0 {
				o.drop(ctx, j) // the record was there once, and has changed its mind
			}
			return nil
		}
	}
	switch {
	case err == nil:
		m.ID = o.messageID(j.ref)
		return &m
	case ctx.Err() != nil:
		return nil // stopped, which is no fault of the owner's
	}
	reason := scrub.Text(err.Error())
	if !errors.Is(err, ErrNotYet) && j.entry.Value.Waits >= o.pace.MaxWaits() {
		if o.save(ctx, j, func(e *entry) { e.Due = o.in(o.pace.Claim()) }) { // a claim
			o.bury(ctx, j, reason)
		}
		return nil
	}
	o.save(ctx, j, func(e *entry) { e.Waits++; e.Due = o.in(o.pace.Delay(e.Waits)) })
	o.record(ctx, EventUnconfirmed, j.ref, reason)
	return nil
}

// standIn is what a decoy is taken through the steps with.
func (o *Outbox) standIn(ref Ref) *civicpin.Message {
	h := o.vault.Hash("outbox.decoy", ref.Owner, string(ref.Subject), ref.ID)
	return &civicpin.Message{To: civicpin.Contact{Channel: "decoy", Address: hex.EncodeToString(h[:16])}}
}

// drop deletes an entry that its owner does not want sent.
func (o *Outbox) drop(ctx context.Context, j *job) {
	if o.entries.Delete(ctx, &j.entry) == nil {
		o.limits.Leave(ctx, j.entry.Value.Queue, o.place(j.ref))
		o.record(ctx, EventWithdrawn, j.ref, "")
	}
}

// ask asks the owner for the message of a job.
func (o *Outbox) ask(ctx context.Context, j *job) (m civicpin.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.opts.Timeout)
	defer cancel()
	err = guard.Call(func() (err error) {
		m, err = j.owner.Confirm(ctx, j.ref)
		return err
	})
	return m, err
}
