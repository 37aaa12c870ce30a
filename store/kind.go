package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/stored"
)

const (
	// maxTries bounds an update's compare-and-swap loop. In each round one caller wins, so reaching it takes as many
	// rivals on one record, each of which would have to be let in by a limit first.
	maxTries = 200
	// maxBackoff bounds the random wait between two tries.
	maxBackoff = 20 * time.Millisecond
)

// A Key names a record within a [Kind]: by a Subject, by an ID, or by both.
type Key struct {
	Subject civicpin.Subject
	ID      string
}

// A Kind is one sort of record in a vault, with values of type T, encoded with encoding/json. A stored field that T does not
// have makes the record unreadable, so that an older program never drops what a newer one stored. Methods are safe for
// concurrent use.
type Kind[T any] struct {
	vault *Vault
	name  string
	pad   int // see Padded
	mend  func(*Entry[T], time.Time) bool
}

// Name returns the kind's name.
func (k Kind[T]) Name() string { return k.name }

// An Entry is a record of a kind as it was read, with its Key and Value, or one that does not exist yet. It remembers from
// which state it was read: writing it is conditional on that state.
type Entry[T any] struct {
	Key   Key
	Value T
	// ExpiresAt is when the record stops being found, by the vault's clock; zero means never.
	ExpiresAt time.Time
	// Drop, set within Update, deletes the record instead of writing it.
	Drop bool

	found   bool
	version Version
	expires time.Time // ExpiresAt, as it was read
}

// Found reports whether the record was there and had not expired.
func (e *Entry[T]) Found() bool { return e.found }

// ErrSkip, returned from the function given to [Kind.Update], ends the update without a write and without an error.
var ErrSkip = errors.New("store: nothing to write")

// Get returns the record of a key. If there is none, or it has expired by the vault's clock, the error matches [ErrNotFound],
// and the entry may be filled and given to Put, which then creates it. Other errors match [ErrUnreadable], or are the store's.
func (k Kind[T]) Get(ctx context.Context, key Key) (Entry[T], error) {
	e, err := k.get(ctx, key)
	if err == nil && !e.found {
		err = ErrNotFound
	}
	return e, err
}

// get is Get, but takes a missing record for an answer.
func (k Kind[T]) get(ctx context.Context, key Key) (Entry[T], error) {
	if key == (Key{}) {
		return Entry[T]{}, k.noKey()
	}
	storageKey := k.vault.storageKey(k.name, key)
	r, err := k.vault.store.Get(ctx, storageKey)
	if errors.Is(err, ErrNotFound) {
		return Entry[T]{Key: key}, nil
	}
	if err != nil {
		return Entry[T]{Key: key}, fmt.Errorf("store: get %s: %w", k.name, err)
	}
	e, err := k.decode(ctx, storageKey, &key, r)
	if err == nil && k.correct(&e) {
		// The correction is kept, or a time that is cut to a span from now would move on with each read. If the write fails, the
		// next read does it.
		_ = k.Put(ctx, &e)
	}
	return e, err
}

// noKey refuses the zero Key: a caller that forgot to fill it in would have everybody share one record.
func (k Kind[T]) noKey() error {
	return fmt.Errorf("store: %s: %w: a key without subject and id", k.name, civicpin.ErrInvalid)
}

// Put writes an entry if its record is still in the state from which the entry was read. The entry then stands for the new
// state. If the store's answer was lost, Put looks whether the write arrived. Errors:
//   - [ErrConflict]: the record is in another state. Nothing was written.
//   - the store's: the write may have happened.
func (k Kind[T]) Put(ctx context.Context, e *Entry[T]) error {
	value, err := k.uncut(ctx, e)
	if err != nil {
		return err
	}
	storageKey := k.vault.storageKey(k.name, e.Key)
	r := Record{Value: value, Version: e.version}
	if !e.ExpiresAt.IsZero() {
		r.ExpiresAt = e.ExpiresAt.Add(k.vault.opts.Grace)
	}
	version, err := k.vault.store.Put(ctx, storageKey, r)
	if err != nil {
		// The bytes hold a random mark: if they are there, it was this write that put them. That also covers a driver that
		// lost the answer, tried again, and was told "conflict" about its own success; if that cannot be ruled out, the
		// error must not be ErrConflict, or Update would apply the same change twice.
		now, getErr := k.vault.store.Get(ctx, storageKey)
		switch {
		case getErr == nil && bytes.Equal(now.Value, value):
			version = now.Version
		case !errors.Is(err, ErrConflict):
			return fmt.Errorf("store: put %s: %w", k.name, err)
		case getErr == nil || errors.Is(getErr, ErrNotFound):
			return ErrConflict
		default:
			return fmt.Errorf("store: put %s: %w", k.name, getErr)
		}
	}
	e.version, e.found, e.expires = version, true, e.ExpiresAt
	return nil
}

// uncut encodes an entry. Rights that were cut for this reader, and that nothing changed since, are written as they were: its
// clock may be the wrong one, and must not end them for the others. So long the record stays.
func (k Kind[T]) uncut(ctx context.Context, e *Entry[T]) ([]byte, error) {
	if k.mend != nil && stored.Swap(e) {
		defer stored.Swap(e)
		if !e.ExpiresAt.IsZero() && e.expires.After(e.ExpiresAt) {
			e.ExpiresAt = e.expires
		}
	}
	return k.encode(ctx, e)
}

// Delete removes the record of an entry if it is still in the state from which the entry was read. The entry then stands for a
// record that does not exist; if it did before, Delete does nothing and returns nil. Errors:
//   - [ErrConflict]: the record is in another state. Nothing was removed.
//   - the store's: the record may be gone. Delete does not find out whether this call removed it: mark what may be used once as
//     used, and do not delete it.
func (k Kind[T]) Delete(ctx context.Context, e *Entry[T]) error {
	if e.version != 0 {
		err := k.vault.store.Delete(ctx, k.vault.storageKey(k.name, e.Key), e.version)
		if errors.Is(err, ErrConflict) {
			return ErrConflict
		}
		if err != nil {
			return fmt.Errorf("store: delete %s: %w", k.name, err)
		}
	}
	e.version, e.found = 0, false
	return nil
}

// Update reads the record of a key, lets change work on the entry, and writes it if no other writer did meanwhile; otherwise it
// does all of that again, with short random waits. The entry given to change is not Found if there is no record yet. change may
// be called several times. What it does to anything but the entry comes before the write, and stands even if the write fails:
// change may write what must exist before the record does. Errors, besides [ErrUnreadable]:
//   - what change returned, but nil for [ErrSkip]: nothing was written.
//   - [ErrContended]: 200 tries met other writers. Nothing was written.
//   - the store's: the write may have happened.
func (k Kind[T]) Update(ctx context.Context, key Key, change func(*Entry[T]) error) (Entry[T], error) {
	e, err := k.get(ctx, key)
	if err != nil {
		return e, err
	}
	return k.UpdateFrom(ctx, e, change)
}

// UpdateFrom is [Kind.Update], with its errors, for an entry that was read already: the first try works on e and saves the
// read. If e is out of date, UpdateFrom reads the record again and calls change again. If it expired since, it is not Found.
func (k Kind[T]) UpdateFrom(ctx context.Context, e Entry[T], change func(*Entry[T]) error) (Entry[T], error) {
	key := e.Key
	if e.found && !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(k.vault.Now()) {
		e = Entry[T]{Key: key, version: e.version}
	}
	for try := range maxTries {
		err := change(&e)
		if errors.Is(err, ErrSkip) {
			return e, nil
		}
		if err != nil {
			return e, err
		}
		if e.Drop {
			e.Drop = false
			err = k.Delete(ctx, &e)
		} else {
			err = k.Put(ctx, &e)
		}
		if !errors.Is(err, ErrConflict) {
			return e, err
		}
		if err := backoff(ctx, try); err != nil {
			return e, err
		}
		if e, err = k.get(ctx, key); err != nil {
			return e, err
		}
	}
	return Entry[T]{Key: key}, ErrContended
}

// backoff waits a random time that grows with the number of tries.
func backoff(ctx context.Context, try int) error {
	most := min(maxBackoff, time.Millisecond<<min(try, 10))
	t := time.NewTimer(rand.N(most))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("store: update: %w", ctx.Err())
	}
}
