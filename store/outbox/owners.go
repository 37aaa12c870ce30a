package outbox

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/guard"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/scrub"
	"github.com/civicpin/civicpin/store"
)

// maxOwner is how long the name of an owner may be.
const maxOwner = 64

// Register names the owner of messages: the outbox asks it about each entry whose Ref has that name as Owner. The name is 1 to
// 64 ASCII letters, digits and "-_.". The names contact, recovery, pin.* and code.* are this library's own: begin yours with
// another word. A second registration under one name replaces the first: an owner that was made again reads the same records.
// Register may be called while Run runs. Errors match [civicpin.ErrInvalid] for an invalid name or a nil owner.
func (o *Outbox) Register(name string, owner Owner) error {
	if !names.Valid(name, maxOwner) || owner == nil {
		return fmt.Errorf(
			"outbox: %w: Register needs an owner with a name of 1 to 64 letters, digits, dots, hyphens and underscores",
			civicpin.ErrInvalid,
		)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owners[name] = owner
	delete(o.unknown, name)
	return nil
}

// owner returns the owner of that name; first is true when it is unknown and was not asked for before.
func (o *Outbox) owner(name string) (owner Owner, first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if owner, ok := o.owners[name]; ok {
		return owner, false
	}
	first = !o.unknown[name]
	o.unknown[name] = true
	return nil, first
}

// confirm asks the owner of a job whether it is to be sent, and returns the message if it is. Otherwise it does what is
// to be done with the entry and returns nil.
func (o *Outbox) confirm(ctx context.Context, j *job) *civicpin.Message {
	ctx, release := guard.Hold(ctx) // as in deliver
	defer release()
	if j.entry.Value.Done != notDone || o.wasSent(j) {
		o.conclude(ctx, j)
		return nil
	}
	m, err := o.ask(ctx, j)
	if j.entry.Value.Decoy == 1 {
		return o.decoy(j.ref)
	}
	if errors.Is(err, ErrWithdrawn) {
		if j.entry.Value.Doubt == 1 {
			o.drop(ctx, j)
			return nil
		}
		// The owner is asked twice, with a write between: its Announce may be about to write the record, and may have read
		// the entry for its commit before this write, and leave it as it is. So the doubt is written first, and then the owner
		// is asked once more. If the record is still not there, its commit is yet to come. It finds the doubt or, when the
		// entry has been dropped, no entry: either way it puts the entry back.
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
	o.record(ctx, eventUnconfirmed, j.ref, reason)
	return nil
}

// decoy returns what a decoy is taken through the steps with.
func (o *Outbox) decoy(ref Ref) *civicpin.Message {
	h := o.vault.Hash("outbox.decoy", ref.Owner, string(ref.Subject), ref.ID)
	return &civicpin.Message{To: civicpin.Contact{Channel: "decoy", Address: hex.EncodeToString(h[:16])}}
}

// drop deletes an entry that its owner does not want sent.
func (o *Outbox) drop(ctx context.Context, j *job) {
	if o.entries.Delete(ctx, &j.entry) == nil {
		o.limits.Leave(ctx, j.entry.Value.Queue, o.place(j.ref))
		o.record(ctx, eventWithdrawn, j.ref, "")
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

// messageID is the same for every try, over restarts and processes, and tells nothing about the subject.
func (o *Outbox) messageID(r Ref) string {
	h := o.vault.Hash("outbox.message", r.Owner, string(r.Subject), r.ID)
	return hex.EncodeToString(h[:16])
}

// pauses are how long close waits before its next go at a store that fails. With storeTimeout for each go, all of it is
// within pace.Margin.
var pauses = [...]time.Duration{0, 200 * time.Millisecond, time.Second}

// close ends a claimed entry: the owner is told, and the entry deleted. What was sent must not be sent again only because
// the owner could not be told, so then the entry is marked, and if that cannot be done either, it is remembered here.
func (o *Outbox) close(ctx context.Context, j *job, done int, receipt, reason string) {
	v := &j.entry.Value
	v.Done, v.At, v.Receipt, v.Reason = done, o.vault.Now().UnixNano(), receipt, reason
	if done == doneSent {
		o.remember(j.entry.Key, *v)
	}
	if done == doneSent && v.Class == Notice {
		// A recovery rests on when a notice was accepted. A crash, or a receipt that cannot be kept, must not move that.
		o.giveBack(ctx, j, func(e *entry) { e.Due = o.in(o.pace.Claim()) })
	}
	for _, pause := range pauses {
		time.Sleep(pause)
		if o.settled(ctx, j) || o.marked(ctx, j) {
			return
		}
	}
}

// conclude goes on with what close could not finish.
func (o *Outbox) conclude(ctx context.Context, j *job) {
	if !o.settled(ctx, j) {
		o.marked(ctx, j)
	}
}

// settled tells the owner what became of a message, and deletes the entry. It reports whether the owner was told.
func (o *Outbox) settled(ctx context.Context, j *job) bool {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	v := j.entry.Value
	last := v.Waits >= o.pace.MaxWaits()
	// First: after a crash between the two the owner withdraws the message, and the outbox would never know its receipt.
	err := o.receive(ctx, j)
	if err == nil || last {
		err = o.tell(ctx, j.owner, j.ref, Outcome{
			Failed: v.Done == doneFailed, Receipt: v.Receipt, Reason: v.Reason, At: time.Unix(0, v.At),
		})
	}
	if err != nil {
		o.record(ctx, eventUnsettled, j.ref, scrub.Text(err.Error()))
		if !last {
			return false
		}
		// About a day long. What was sent was sent, and what failed is a dead letter: the owner's record stays as it is.
	}
	// The entry may have been added anew: then it stays, and its owner is asked again. If it cannot be deleted now, it is
	// concluded once more by this process, and another process is told "withdrawn" by the owner.
	err = o.entries.Delete(ctx, &j.entry)
	if err != nil && !errors.Is(err, store.ErrConflict) {
		_, err = o.entries.Get(ctx, j.entry.Key) // it may be gone all the same
		if !errors.Is(err, store.ErrNotFound) {
			return true
		}
	}
	o.forget(j.entry.Key)
	return true
}

// tell settles a message with its owner, who may have withdrawn it.
func (o *Outbox) tell(ctx context.Context, owner Owner, ref Ref, what Outcome) error {
	err := guard.Call(func() error { return owner.Settle(ctx, ref, what) })
	if errors.Is(err, ErrWithdrawn) {
		return nil
	}
	return err
}

// marked writes into the entry, whichever process has claimed it now, that only the owner is left to be told. It reports
// whether that is durable.
func (o *Outbox) marked(ctx context.Context, j *job) bool {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	v := j.entry.Value
	_, err := o.entries.Update(ctx, j.entry.Key, func(e *store.Entry[entry]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.ExpiresAt = o.expiry()
		e.Value.Done, e.Value.At, e.Value.Receipt, e.Value.Reason = v.Done, v.At, v.Receipt, v.Reason
		e.Value.Waits++
		e.Value.Due = o.in(o.pace.Delay(e.Value.Waits))
		return nil
	})
	if err == nil {
		o.forget(j.entry.Key)
	}
	return err == nil
}
