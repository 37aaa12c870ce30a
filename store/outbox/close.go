package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin/internal/guard"
	"github.com/civicpin/civicpin/internal/scrub"
	"github.com/civicpin/civicpin/store"
)

// pauses are how long close waits before its next go at a store that fails. With storeTimeout for each go, all of it is
// within pace.Margin.
var pauses = [...]time.Duration{0, 200 * time.Millisecond, time.Second}

// close ends a claimed entry: the owner is told, and the entry deleted. What was sent must not be sent again only because
// the owner could not be told, so then the entry is marked, and if that cannot be done either, it is remembered here.
func (o *Outbox) close(ctx context.Context, j *job, done int, receipt, reason string) {
	if done == doneSent {
		o.remember(j.entry.Key, receipt)
	}
	j.entry.Value.Done, j.entry.Value.Receipt, j.entry.Value.Reason = done, receipt, reason
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
	err := guard.Call(func() error {
		return j.owner.Settle(ctx, j.ref, Outcome{
			Failed:  v.Done == doneFailed,
			Receipt: v.Receipt,
			Reason:  v.Reason,
			At:      o.vault.Now(),
		})
	})
	if err != nil && !errors.Is(err, ErrWithdrawn) {
		o.record(ctx, EventUnsettled, j.ref, scrub.Text(err.Error()))
		if v.Waits < o.pace.MaxWaits() {
			return false
		}
		// About a day long. What was sent was sent, and what failed is a dead letter: the owner's record stays as it is.
	}
	// Somebody may have added the entry anew: then it stays, and its owner is asked again. If it cannot be deleted now, it is
	// concluded once more by this process, and another one is told "withdrawn" by the owner.
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

// marked writes into the entry, whoever has it now, that nothing but telling the owner is left. It reports whether that
// is durable.
func (o *Outbox) marked(ctx context.Context, j *job) bool {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	v := j.entry.Value
	_, err := o.entries.Update(ctx, j.entry.Key, func(e *store.Entry[entry]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.Expires = o.expiry()
		e.Value.Done, e.Value.Receipt, e.Value.Reason = v.Done, v.Receipt, v.Reason
		e.Value.Waits++
		e.Value.Due = o.in(o.pace.Delay(e.Value.Waits))
		return nil
	})
	if err == nil {
		o.forget(j.entry.Key)
	}
	return err == nil
}

// remember keeps the receipt of a message that was sent, until that is durable.
func (o *Outbox) remember(key store.Key, receipt string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for old := range o.sent {
		if len(o.sent) < maxRemembered {
			break
		}
		delete(o.sent, old)
	}
	o.sent[key] = receipt
}

func (o *Outbox) forget(key store.Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.sent, key)
}

// wasSent reports whether this process sent the message of a job already, and then readies the job to be concluded.
func (o *Outbox) wasSent(j *job) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	receipt, ok := o.sent[j.entry.Key]
	if ok {
		j.entry.Value.Done, j.entry.Value.Receipt = doneSent, receipt
	}
	return ok
}
