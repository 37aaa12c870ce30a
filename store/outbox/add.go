package outbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin/store"
)

// Add writes an entry for each ref. Call it before the record is written that holds the messages. When it returns nil
// the entries are durable; after an error some may be there, and are dropped later, since no record confirms them. An entry
// that is already there stays, with its tries. The error matches [civicpin.ErrInvalid] if a ref is not valid, and is the
// store's otherwise.
func (o *Outbox) Add(ctx context.Context, refs ...Ref) error { return o.add(ctx, 0, refs) }

// AddDecoy does what Add does, and the dispatcher drops the entries: the refs are those that would have been added for a
// citizen. It never takes the place of a true entry. Calling Commit afterwards, as for a citizen, does no harm.
func (o *Outbox) AddDecoy(ctx context.Context, refs ...Ref) error { return o.add(ctx, 1, refs) }

func (o *Outbox) add(ctx context.Context, decoy int, refs []Ref) error {
	if err := o.check(refs); err != nil {
		return err
	}
	for _, ref := range refs {
		e := store.Entry[entry]{Key: ref.key(), Value: o.newEntry(decoy), Expires: o.expiry()}
		err := o.entries.Put(ctx, &e)
		if errors.Is(err, store.ErrConflict) {
			// There is one. It is written anew even if nothing changes: a dispatcher that is about to drop the entry
			// that it read then finds another.
			_, err = o.entries.Update(ctx, ref.key(), func(e *store.Entry[entry]) error {
				e.Expires = o.expiry()
				switch {
				case !e.Found() || e.Value.Decoy == 1:
					e.Value = o.newEntry(decoy)
				case e.Value.Doubt == 1 && decoy == 0:
					e.Value.Doubt, e.Value.Due = 0, o.vault.Now().UnixNano()
				}
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("outbox: add: %w", err)
		}
		o.track(ref.key())
	}
	return nil
}

// Commit makes sure that the entries of refs are there, and wakes the dispatcher. Call it after the record was written that
// holds the messages, and acknowledge to your own caller only when it returned nil. The error is the store's, or matches
// [civicpin.ErrInvalid]; most likely the entries are there all the same.
//
// It is needed because a process can be held up for any time between Add and its record, in which a dispatcher drops the
// entry that no record confirms. An entry that is missing because its message was sent already is put back as well; its
// record then says that it was, and it is dropped.
func (o *Outbox) Commit(ctx context.Context, refs ...Ref) error {
	if err := o.check(refs); err != nil {
		return err
	}
	for _, ref := range refs {
		// An entry without doubt needs no write. Should a dispatcher have asked the owner before the record was there, and
		// not have written its doubt yet, then it asks once more after that, and gets the message: see Outbox.confirm.
		_, err := o.entries.Update(ctx, ref.key(), func(e *store.Entry[entry]) error {
			switch {
			case !e.Found():
				e.Value, e.Expires = o.newEntry(0), o.expiry()
			case e.Value.Doubt == 1:
				e.Value.Doubt, e.Value.Due = 0, o.vault.Now().UnixNano()
			default:
				return store.ErrSkip
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("outbox: commit: %w", err)
		}
		o.track(ref.key())
	}
	for _, ref := range refs {
		o.announce(ref.key())
	}
	return nil
}

// check refuses refs before any of them is written.
func (o *Outbox) check(refs []Ref) error {
	for _, ref := range refs {
		if err := ref.Validate(); err != nil {
			return err
		}
	}
	if o.notifier == nil && len(refs) > 0 {
		return ErrNoNotifier
	}
	if o.Durable() {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.own)
	for _, ref := range refs {
		if _, ok := o.own[ref.key()]; !ok {
			n++
		}
	}
	if n > maxOwn {
		return fmt.Errorf("outbox: %d messages wait already, on a store that cannot list", len(o.own))
	}
	return nil
}

// announce tells a Run of this process about an entry.
func (o *Outbox) announce(key store.Key) {
	select {
	case o.fresh <- key:
	default:
		o.rescan()
	}
}

// rescan makes a Run of this process list.
func (o *Outbox) rescan() {
	select {
	case o.wake <- struct{}{}:
	default: // it will anyway
	}
}
