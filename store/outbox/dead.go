package outbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/civicpin/civicpin/store"
)

// ErrNoDeadLetter says that there is no dead letter of that name.
var ErrNoDeadLetter = errors.New("outbox: no such dead letter")

// A DeadLetter is a message that was given up, by its Ref. It holds no text.
type DeadLetter struct {
	Ref Ref
	// At is when it was given up.
	At time.Time
	// Tries is how often it was tried.
	Tries int
	// Reason is what the notifier said last, without the message's Secret and Link.
	Reason string
}

// dead is what is stored of a dead letter; whose it is stands in its key.
type dead struct {
	At     int64  `json:"t" export:"yes"`
	Tries  int    `json:"n" export:"yes"`
	Reason string `json:"e" export:"yes"`
	Class  Class  `json:"c"`
}

// DeadLetters yields the messages that were given up, in no particular order. Errors:
//   - [store.ErrUnreadable]: a dead letter does not open. The sequence goes on.
//   - [store.ErrNoListing]: the store does not list.
//   - the store's: the sequence ends.
func (o *Outbox) DeadLetters(ctx context.Context) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		for e, err := range o.dead.All(ctx) {
			if err != nil {
				err = fmt.Errorf("outbox: dead letters: %w", err)
			}
			l := DeadLetter{Ref: refOf(e.Key), At: time.Unix(0, e.Value.At), Tries: e.Value.Tries, Reason: e.Value.Reason}
			l.Ref.Class = e.Value.Class
			if err != nil {
				l = DeadLetter{}
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

// Retry puts a dead letter back among the messages that are due, with all its tries and as class Shown at least. The message
// is sent if its owner still wants it sent. After an error of the store, Retry may be called again. Errors:
//   - [ErrNoDeadLetter]: there is none of that name.
//   - [civicpin.ErrInvalid]: the ref is invalid.
//   - [ErrNoNotifier]: the outbox sends nothing.
//   - the store's.
func (o *Outbox) Retry(ctx context.Context, ref Ref) error {
	if err := ref.Validate(); err != nil {
		return err
	}
	if o.notifier == nil {
		return ErrNoNotifier
	}
	letter, err := o.dead.Get(ctx, ref.key())
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoDeadLetter
	}
	if err != nil {
		return fmt.Errorf("outbox: retry: %w", err)
	}
	_, err = o.entries.Update(ctx, ref.key(), func(e *store.Entry[entry]) error {
		if e.Found() && e.Value.Done == notDone {
			return store.ErrSkip // another Retry has put it back, and it may be under way: a new entry would send it twice
		}
		e.Value, e.ExpiresAt = o.newEntry(Ref{Class: max(Shown, letter.Value.Class)}, false), o.expiry()
		return nil
	})
	if err != nil {
		return fmt.Errorf("outbox: retry: %w", err)
	}
	o.own.Add(ref.key())
	// A conflict means that it was buried again already.
	if err := o.dead.Delete(ctx, &letter); err != nil && !errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("outbox: retry: %w", err)
	}
	o.record(ctx, eventRequeued, ref, "")
	o.announce(ref.key())
	return nil
}
